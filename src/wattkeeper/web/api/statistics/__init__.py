"""What the numbers say, for programs."""
