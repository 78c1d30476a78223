"""What staff do with somebody's data because that person asked, and proved who they are."""

from __future__ import annotations

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.privacy.rights import Proof
from wattkeeper.store.privacy import request
from wattkeeper.store.unit import Unit


async def need_asked(unit: Unit, person: str) -> None:
    """Refusal CONFLICT unless a request of theirs is open, of which somebody noted how they proved it is them."""
    rows = await request.of(unit.connection, person)
    if not any(row.state == request.OPEN and row.proof is not Proof.NOTHING for row in rows):
        raise Refusal(Code.CONFLICT, phrase("First note who asks, and how they proved it."))
