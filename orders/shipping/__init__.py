"""Where the shop ships to, by which methods, and what that costs."""
