"""What operators do to a running shop: look at it, put its dead letters back, keep a copy of it."""
