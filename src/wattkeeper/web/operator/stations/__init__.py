"""Stations, as staff look at them."""
