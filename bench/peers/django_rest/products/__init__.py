"""The service of products and their stock."""
