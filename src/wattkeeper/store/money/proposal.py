"""What somebody proposed to bill that takes a second person to agree."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.tables import proposal
from wattkeeper.store.unit import Unit


class Deed(StrEnum):
    """What can be done about a session."""

    ACCEPT = "accept"
    """Bill it as its station told it."""
    CORRECT = "correct"
    """Bill it for another energy, or another amount."""
    WAIVE = "waive"
    """Do not bill it, or leave its bill as it is."""


class ProposalState(StrEnum):
    """What became of a proposal."""

    OPEN = "open"
    AGREED = "agreed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to be done, and why."""

    deed: Deed
    said: str
    """Why, in their words; they stand on the document."""
    energy_wh: Decimal | None = None
    """The energy it shall be billed for, Wh."""
    gross_minor: int | None = None
    """Or what it shall come to with tax, minor units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRow:
    """A proposal."""

    id: str
    session: str
    wish: Wish
    difference_minor: int
    """What it changes, minor units."""
    currency: str
    digits: int
    created_at: datetime
    created_by: str
    seen: str | None
    """SHA-256 of what its proposer saw, hexadecimal; None: it is older than that was kept."""
    state: ProposalState = ProposalState.OPEN
    settled_at: datetime | None = None
    settled_by: str | None = None
    number: str | None = None
    """The document that came of it."""


P = proposal.c


async def keep(
    unit: Unit, session: str, wish: Wish, difference_minor: int, currency: str, digits: int, by: str, seen: str
) -> ProposalRow:
    """Keep a proposal; ``seen``: SHA-256 of what its proposer saw."""
    row = ProposalRow(
        id=secrets.token_hex(8),
        session=session,
        wish=wish,
        difference_minor=difference_minor,
        currency=currency,
        digits=digits,
        created_at=unit.now,
        created_by=by,
        seen=seen,
    )
    told: dict[str, Any] = {"id": row.id, "session_id": session, "deed": wish.deed.value, "said": wish.said}
    told |= {"energy_wh": wish.energy_wh, "gross_minor": wish.gross_minor, "difference_minor": difference_minor}
    told |= {"currency": currency, "digits": digits, "created_at": unit.now, "created_by": by, "state": row.state.value}
    told |= {"seen": seen}
    await unit.connection.execute(insert(proposal).values(told))
    return row


async def settle(unit: Unit, row: ProposalRow, state: ProposalState, by: str, number: str | None = None) -> ProposalRow:
    """Settle a proposal that is open."""
    told = {"state": state.value, "settled_at": unit.now, "settled_by": by, "number": number}
    await unit.connection.execute(update(proposal).where(P.id == row.id).values(told))
    return replace(row, state=state, settled_at=unit.now, settled_by=by, number=number)


async def open_of(connection: AsyncConnection, session: str) -> ProposalRow | None:
    """What is proposed for a session: for deeds, never for showing."""
    wanted = select(proposal).where(P.session_id == session, P.state == ProposalState.OPEN.value)
    row = (await connection.execute(wanted)).first()
    return None if row is None else proposal_of(row)


async def agreed_of(connection: AsyncConnection, session: str) -> ProposalRow | None:
    """What two people agreed to last for a session: for deeds, never for showing."""
    wanted = select(proposal).where(P.session_id == session, P.state == ProposalState.AGREED.value)
    row = (await connection.execute(wanted.order_by(P.settled_at.desc(), P.number.desc()).limit(1))).first()
    return None if row is None else proposal_of(row)


async def one(connection: AsyncConnection, viewer: Viewer, identifier: str) -> ProposalRow | None:
    """The proposal with this id (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    row = (await connection.execute(select(proposal).where(P.id == identifier))).first()
    return None if row is None else proposal_of(row)


async def find(
    connection: AsyncConnection,
    viewer: Viewer,
    limit: int,
    *,
    state: ProposalState | None = ProposalState.OPEN,
    before: tuple[datetime, str] | None = None,
) -> list[ProposalRow]:
    """Proposals, the newest first; None does not restrict (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    wanted = select(proposal) if state is None else select(proposal).where(P.state == state.value)
    if before is not None:
        wanted = wanted.where(tuple_(P.created_at, P.id) < before)
    rows = await connection.execute(wanted.order_by(P.created_at.desc(), P.id.desc()).limit(limit))
    return [proposal_of(row) for row in rows]


def proposal_of(row: Any) -> ProposalRow:
    """A proposal of its row."""
    wish = Wish(deed=Deed(row.deed), said=row.said, energy_wh=row.energy_wh, gross_minor=row.gross_minor)
    named = ("id", "difference_minor", "currency", "digits", "created_at", "created_by", "seen")
    told = {name: getattr(row, name) for name in (*named, "settled_at", "settled_by", "number")}
    return ProposalRow(session=row.session_id, wish=wish, state=ProposalState(row.state), **told)
