"""The log in the store: leaves, nodes, checkpoints, and the names that leaves commit to."""
