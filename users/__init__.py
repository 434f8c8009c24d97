"""The service `users`: identity, tokens, profiles, addresses and roles."""
