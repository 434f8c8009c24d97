"""Taxes: which rate applies where, and what it comes to."""
