"""Wattkeeper: every charging session authenticated, metered, priced and kept private, and open to check."""

__version__ = "0.1.0"
