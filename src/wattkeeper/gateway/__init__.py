"""The stations' door: sockets and nothing else."""

from __future__ import annotations

from wattkeeper.gateway.door import Gateway

__all__ = ["Gateway"]
