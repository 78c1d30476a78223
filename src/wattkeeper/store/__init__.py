"""What we remember: SQLite by default, PostgreSQL to scale."""
