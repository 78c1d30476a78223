"""Alerts as pages: what is on, what was, and the rules."""
