"""What people agreed to, looks at persons, and legal holds: queries by noun."""
