"""What sessions cost, over the API."""
