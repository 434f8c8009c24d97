"""Users: found, made, changed, deleted, confirmed."""
