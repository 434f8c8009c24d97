"""Carts: what a buyer puts aside."""
