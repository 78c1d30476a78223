"""Signed meter values: keys of meters, where values must be signed, and what was seen."""
