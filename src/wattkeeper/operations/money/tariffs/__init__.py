"""Prices: set, assigned, told, and what sessions come to by them."""
