"""Accounts: found, made, changed, deleted."""
