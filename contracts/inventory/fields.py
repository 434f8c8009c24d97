"""Bounds that the services and their callers share."""

#: More than this of one product is a slip of the keyboard.
MAX_ON_HAND = 10_000_000
