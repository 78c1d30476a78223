"""Apps and programs that people let in: OAuth 2.1, and tokens with scopes."""
