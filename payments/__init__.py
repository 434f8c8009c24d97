"""Takes and returns money: providers, append-only ledger, refunds."""
