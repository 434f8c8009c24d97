"""Payment providers behind one port (`payments.providers.port`)."""
