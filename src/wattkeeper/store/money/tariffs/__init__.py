"""Tariffs as they are kept, where they hold, and how they are written."""
