"""Charges: opened, and settled by what the provider reports."""
