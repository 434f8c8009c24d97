"""The contract of the service `products`."""
