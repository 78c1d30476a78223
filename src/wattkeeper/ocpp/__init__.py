"""The dialects: wire words to facts, orders to wire words. Pure."""
