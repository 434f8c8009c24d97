"""Carts, and the life of an order: checkout, payment, delivery, cancellation, recovery."""
