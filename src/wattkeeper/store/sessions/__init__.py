"""Sessions as they are kept, and what was read, started and told of them."""
