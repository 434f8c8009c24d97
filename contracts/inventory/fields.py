"""Bounds that the services and their callers share."""

#: Most different products in one question about stock, and so in one cart or order.
MAX_LINES = 100
