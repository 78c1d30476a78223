"""How drivers pay, and what hosts get."""
