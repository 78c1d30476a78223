"""Stations as they are kept: who may connect, how they stand, what they were asked."""
