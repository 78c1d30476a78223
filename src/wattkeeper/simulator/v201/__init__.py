"""A station that speaks OCPP 2.0.1."""
