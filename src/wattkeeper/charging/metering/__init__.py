"""Signed meter values: what they say, and what they prove about a session."""
