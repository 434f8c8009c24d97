"""What the servers must have before the shop can start: roles, databases, users, rights."""
