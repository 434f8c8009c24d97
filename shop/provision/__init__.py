"""`shop provision`: users, roles and databases, so that a service can use only what is its own.

It runs with an administrator's rights, before anything else.
"""
