"""The contract of the service `inventory`."""
