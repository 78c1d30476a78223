"""TLS of the stations' door: as that of every door (`operations/certificate.py`)."""

from __future__ import annotations

from wattkeeper.operations.certificate import Certificate, make_context

__all__ = ["Certificate", "make_context"]
