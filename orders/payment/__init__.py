"""Paying an order, and money that goes back."""
