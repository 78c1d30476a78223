"""Attacks on what leaves the house, measured before and after: ``python -m bench.privacy``."""
