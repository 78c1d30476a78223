"""What is kept about security, by noun."""
