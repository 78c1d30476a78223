"""Alerts, their rules and webhooks, over the API."""
