"""Doors that are neither staff's nor drivers': OAuth, OpenID Connect, the payment provider's, the log's."""
