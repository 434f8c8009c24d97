"""`shop attack`: what a stranger may try against a running shop, and what must come of it."""
