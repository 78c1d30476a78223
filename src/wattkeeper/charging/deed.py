"""Deeds: what people and programs did or looked at that the log must be able to prove later."""

from __future__ import annotations

from enum import StrEnum


class DeedKind(StrEnum):
    """What was done; these names stay as they are, for the log holds them for ever."""

    KEY_ROTATED = "key.rotated"
    """A key of the vault was replaced; body: which."""
    LOOKED = "person.looked"
    """Somebody of the staff saw what names a person; body: what, and the purpose and reason they gave."""
    LOOK_REVIEWED = "look.reviewed"
    """A second person reviewed a look that broke the glass; body: which, and what they found."""
    CONSENT_GIVEN = "consent.given"
    """A person agreed; body: to what, and the version and SHA-256 of the text."""
    CONSENT_WITHDRAWN = "consent.withdrawn"
    ERASED = "person.erased"
    """A person was forgotten; body: what was done, with counts and without names."""
    RELEASED = "insight.released"
    """An aggregate left the house; body: its digest, what it spent and how it was measured."""
    HELD = "hold.set"
    """Something must not be deleted yet; body: the hold, and until when."""
    HOLD_ENDED = "hold.ended"
    DELETED = "retention.deleted"
    """What was kept long enough was deleted; body: by table how many rows, and how old the oldest is that is left."""
