"""The books: every transaction of money."""
