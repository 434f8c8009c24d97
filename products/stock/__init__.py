"""How much there is, and what orders hold of it."""
