"""Totals of sessions: what each added, and sums by quarter hour, hour, day and month."""
