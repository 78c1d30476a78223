"""Worlds with a driver and without, and what is released in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Worlds:
    """Numbers that were released in many worlds, with a driver and without; what is known about each number."""

    inside: list[list[int]]
    outside: list[list[int]]
    base: Sequence[int]
    """Without the driver, before the noise."""
    moved: Sequence[int]
    """By the driver."""
    scale: Sequence[int]
    """Of its noise."""
    cells: int
    """How many of them are cells; the rest is the first look."""
