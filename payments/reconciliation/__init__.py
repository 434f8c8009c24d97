"""Our ledger beside the providers' books."""
