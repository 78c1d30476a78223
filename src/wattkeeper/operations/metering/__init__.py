"""Signed meter values: the keys of meters, and what was checked under them."""
