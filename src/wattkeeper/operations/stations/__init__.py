"""Stations: who is let in, how they stand, where drivers find them."""
