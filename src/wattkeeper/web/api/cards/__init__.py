"""Cards, groups and findings, over the API."""
