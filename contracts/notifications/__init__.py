"""The contract of the service `notifications`."""
