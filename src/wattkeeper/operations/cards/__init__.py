"""Cards: how they come in, whom they belong to, what they may do, and what is odd about them."""
