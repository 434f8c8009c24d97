"""The contract of the service `users`."""
