"""Deeds: what people and programs did or looked at that the log must be able to prove later."""

from __future__ import annotations

from enum import StrEnum


class DeedKind(StrEnum):
    """What was done; these names stay as they are, for the log holds them for ever."""

    KEY_ROTATED = "key.rotated"
    """A key of the vault was replaced; body: which."""
    LOOKED = "person.looked"
    """Somebody of the staff saw what names a person; body: what, and the purpose and reason they gave."""
    CONSENT_GIVEN = "consent.given"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    ERASED = "person.erased"
    """A person was forgotten; body: what was done, with counts and without names."""
    RELEASED = "insight.released"
    """An aggregate left the house; body: its digest, what it spent and how it was measured."""
