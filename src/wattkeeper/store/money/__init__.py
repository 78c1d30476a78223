"""Bills, what waits for a person, the ledger and its sums, by noun."""
