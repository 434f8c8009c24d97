"""The life of an order after its checkout."""
