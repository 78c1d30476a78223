"""Signing in with a company of one's own: OpenID Connect."""
