"""A call that does nothing, on the shop's own chassis: what the way itself costs."""
