"""Stations that behave, and stations that do not: an outside witness that speaks OCPP through a library."""
