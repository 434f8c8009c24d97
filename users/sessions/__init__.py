"""Staying signed in, and the end of it."""
