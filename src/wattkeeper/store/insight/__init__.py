"""What aggregates are made from, and the ledger of those that left."""
