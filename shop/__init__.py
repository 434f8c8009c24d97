"""The operators' command: runs the shop, migrates it, fills it, asks after its health."""
