"""Security: what was tried, what is not as it should be, and what a stranger may read of it."""
