"""FastStream services that call each other over RabbitMQ, behind a FastAPI gateway.

Follows the documentation of FastStream: subscribers that answer the `reply_to` of a message,
Pydantic models, `Context` for what the lifespan has opened, `faststream run`; its page "Integrate
with FastAPI" for the gateway. Beneath are the same asyncpg functions as in the FastAPI peer.
"""
