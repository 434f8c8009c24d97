"""The routes, one module for each resource, mixed into the gateway's service class.

A route says who may call it and what it takes and answers; its method makes the RPC.
"""
