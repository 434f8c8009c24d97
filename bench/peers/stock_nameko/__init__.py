"""Nameko as it comes: `http` entrypoints, `RpcProxy`, and nameko-sqlalchemy's `DatabaseSession`.

Follows the documentation of Nameko 2.14 ("Built-in Extensions", `nameko run` with a configuration
file) and its nameko-examples: a gateway of HTTP entrypoints that maps exceptions to statuses,
services with ORM models and marshmallow schemas, exceptions that arrive as themselves.
"""
