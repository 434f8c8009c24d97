"""Orders: checkout, payment, and the life of an order."""
