"""Accounts, and what they prove themselves with."""
