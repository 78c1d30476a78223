"""Alerts: what a rule says, and how an episode begins and ends. Pure: instants and figures come in."""
