"""What the numbers say: totals kept up to date, and what is read out of them."""
