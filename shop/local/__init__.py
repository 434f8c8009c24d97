"""Runs RabbitMQ, PostgreSQL and the shop's processes on one machine, without containers."""
