"""Breaches: whom one concerns, the clock, and who is told."""
