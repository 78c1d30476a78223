"""What the security audit looks at, a file a check."""
