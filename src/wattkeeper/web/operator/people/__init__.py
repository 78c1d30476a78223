"""Accounts and staff, as pages."""
