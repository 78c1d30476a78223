"""Cards and what was decided about them."""
