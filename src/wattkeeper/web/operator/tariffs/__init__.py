"""Tariffs: what charging costs, who gets which, and how it is changed."""
