"""Accounts, sign-ins and staff, over the API."""
