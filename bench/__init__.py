"""Side-by-side measurements of the shop, of what people would pick instead, and of the limits."""
