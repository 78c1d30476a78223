"""Sessions, as staff look at them."""
