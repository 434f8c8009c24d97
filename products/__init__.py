"""Catalog and stock: the Nameko services `products` and `inventory` over one database."""
