"""The only public door: REST in, RPC behind it.

A request is authenticated, validated for its shape and handed to the service that owns the
matter; whose things one may see is decided there, from the `actor` that goes along.
"""
