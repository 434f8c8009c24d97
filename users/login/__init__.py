"""Signing in: with a password, and with a second factor where there is one."""
