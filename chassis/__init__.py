"""The chassis that every service of the shop stands on; it knows no word of the shop.

The name is the pattern's ("microservice chassis"): RPC with deadlines (`rpc`), events with
outbox, inbox and dead letters (`events`), database (`database`), errors, identity,
configuration, logs and the web server, all as ordinary Nameko extensions.
"""
