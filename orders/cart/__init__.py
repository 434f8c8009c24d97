"""The cart: what a buyer has put aside."""
