"""Alerts: rules, episodes, what is to be told of them, and what is measured."""
