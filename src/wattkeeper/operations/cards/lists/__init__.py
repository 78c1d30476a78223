"""Stations' own lists of cards: what each holds, and what it is told next."""
