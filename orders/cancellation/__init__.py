"""Taking back a part of an order that is paid."""
