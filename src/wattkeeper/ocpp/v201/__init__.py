"""OCPP 2.0.1 (edition 2)."""

from wattkeeper.ocpp.v201.dialect import V201

__all__ = ["V201"]
