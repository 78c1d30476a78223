"""Alerts: rules are measured, episodes decided, and told by mail and webhook until they are heard."""
