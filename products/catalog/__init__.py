"""Products and categories: read, listed, changed."""
