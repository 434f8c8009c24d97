"""What a product is found by."""
