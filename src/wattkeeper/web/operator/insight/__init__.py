"""Insight: what leaves the house as anonymous, and what was measured before it did."""
