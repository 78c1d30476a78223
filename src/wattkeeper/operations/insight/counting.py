"""Whose sessions may count in what leaves: asked at run time, in the transaction that uses the answer."""

from __future__ import annotations

from wattkeeper.charging.privacy.consent import Consented
from wattkeeper.operations.privacy.consents import agreed_among
from wattkeeper.store.unit import Unit


async def who_counts(unit: Unit) -> frozenset[str]:
    """The persons who agree now that their sessions count, and whose data are neither restricted nor objected to."""
    return await agreed_among(unit, Consented.INSIGHT)
