"""OCPP 1.6 (edition 2) with the security extension."""

from wattkeeper.ocpp.v16.dialect import V16

__all__ = ["V16"]
