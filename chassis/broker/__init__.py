"""The way to RabbitMQ: connections that keep themselves alive, and what travels on them.

Each service process holds three connections for a service, because RabbitMQ stops reading from a
connection that publishes when it runs short of memory, and acknowledgements must not wait then:
`inbound` consumes, `outbound` publishes calls and replies, `confirmed_publisher` publishes what
must not be lost and waits for the broker's confirmation.
"""
