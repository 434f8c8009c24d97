"""The contract of the service `payments`."""
