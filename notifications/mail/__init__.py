"""The way out: pending messages, to their channels."""
