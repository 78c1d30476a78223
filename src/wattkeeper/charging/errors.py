"""One small family of errors; each carries a machine code that every door translates once."""

from __future__ import annotations

from enum import StrEnum

from wattkeeper.charging.phrase import Said


class Code(StrEnum):
    """Why something was refused, in words for machines."""

    INVALID = "invalid"
    """What was asked does not make sense as written (HTTP 422)."""
    NOT_FOUND = "not_found"
    """It does not exist, or it is not the caller's to see (HTTP 404)."""
    CONFLICT = "conflict"
    """It contradicts what is already so (HTTP 409)."""
    FORBIDDEN = "forbidden"
    """The caller is known and may not (HTTP 403)."""
    UNAUTHENTICATED = "unauthenticated"
    """The caller is not known (HTTP 401)."""
    PROOF = "proof_needed"
    """The caller must show once more who they are (HTTP 403)."""
    PURPOSE = "purpose_needed"
    """The caller must say for what and why they look at a person's data (HTTP 428)."""
    OFFLINE = "station_not_connected"
    """The station has no connection now (HTTP 409)."""
    BUSY = "too_many_requests"
    """Too many tries; later (HTTP 429)."""


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """An operation declined: a code for machines, a sentence for people (what, why, what to do)."""

    def __init__(self, code: Code, why: Said, **details: object) -> None:
        super().__init__(why)
        self.code = code
        self.why = why
        self.details = details
