"""The people's door: pages and API. Writes only by operations."""
