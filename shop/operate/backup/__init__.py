"""`shop backup` and `shop restore`: all databases, as they were at one instant.

Why an instant is enough, though events and calls were under way in it: docs/adr/0017.
"""
