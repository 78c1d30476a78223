"""Aggregates that leave the house: noise, what is measured before, the ledger. `Releases` is the only way out."""
