"""Wishes to prove a card by tapping it, codes that come with cards, and who holds a card that is proved."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import case, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.columns import from_micros
from wattkeeper.store.tables import account, card, enrolment, person, session, station_state
from wattkeeper.store.unit import Unit

E, C = enrolment.c, card.c


class EnrolmentState(StrEnum):
    """What became of a wish."""

    WAITING = "waiting"
    DONE = "done"
    TAKEN = "taken"
    """The card that was tapped has a holder already, or may not be added."""
    EXPIRED = "expired"


WITHDRAWN = "withdrawn"
"""What is kept of a wish that was given up: how often somebody wished."""


@dataclass(frozen=True, slots=True)
class EnrolmentRow:
    """A wish as kept."""

    id: str
    person: str
    station: str
    state: EnrolmentState
    ref: str | None
    """The card, where it is this person's."""
    label: bytes | None
    created_at: datetime
    expires_at: datetime


COLUMNS = (E.id, E.person_id, E.station_id, E.state, E.ref, E.label, E.created_at, E.expires_at)


async def open_at(unit: Unit, one: EnrolmentRow) -> bool:
    """Keep a wish in place of the same person's at that station; False where somebody else's waits there."""
    waiting = (E.station_id == one.station, E.state == EnrolmentState.WAITING)
    late = update(enrolment).where(*waiting, E.expires_at <= unit.now).values(state=EnrolmentState.EXPIRED)
    await unit.connection.execute(late)
    own = update(enrolment).where(E.person_id == one.person, E.state == EnrolmentState.WAITING)
    await unit.connection.execute(own.values(state=EnrolmentState.EXPIRED, expires_at=unit.now))
    if await unit.connection.scalar(select(E.id).where(*waiting)) is not None:
        return False
    times = {"created_at": one.created_at, "expires_at": one.expires_at}
    told = {"id": one.id, "person_id": one.person, "station_id": one.station, "state": one.state, "label": one.label}
    await unit.connection.execute(insert(enrolment).values(told | times))
    return True


async def in_vain(unit: Unit, person_id: str, station: str, since: datetime) -> list[tuple[datetime, datetime]]:
    """From when to when this person waited at this station since an instant and no card became theirs, in order."""
    which = (E.person_id == person_id, E.station_id == station, E.created_at > since, E.state != EnrolmentState.DONE)
    rows = await unit.connection.execute(select(E.created_at, E.expires_at).where(*which).order_by(E.created_at))
    return [(begun, min(until, unit.now)) for begun, until in rows]


async def own(connection: AsyncConnection, identifier: str, person_id: str) -> EnrolmentRow | None:
    """This person's wish with this id, where they have not given it up."""
    which = (E.id == identifier, E.person_id == person_id, E.state != WITHDRAWN)
    row = (await connection.execute(select(*COLUMNS).where(*which))).first()
    return None if row is None else _enrolment(*row)


async def withdraw(unit: Unit, identifier: str, person_id: str) -> bool:
    """This person gives their wish up: that it was made is all that is kept. False where there is none."""
    own_one = update(enrolment).where(E.id == identifier, E.person_id == person_id, E.state != WITHDRAWN)
    done = await unit.connection.execute(own_one.where(E.state == EnrolmentState.DONE).values(label=None))
    given_up = {"state": WITHDRAWN, "label": None, "ref": None, "expires_at": unit.now}
    other = await unit.connection.execute(own_one.where(E.state != EnrolmentState.DONE).values(given_up))
    return bool(done.rowcount or other.rowcount)


async def waiting_at(unit: Unit, stations: Collection[str]) -> dict[str, EnrolmentRow]:
    """The wishes that wait for a tap at these stations now."""
    names = ", ".join(column.name for column in COLUMNS)
    which = f"SELECT {names} FROM enrolment WHERE state = 'waiting' AND station_id IN {{values}}"
    rows = [(*row[:-2], *map(from_micros, row[-2:])) for row in await unit.select_in(which, [*stations])]
    found = (_enrolment(*row) for row in rows)
    return {one.station: one for one in found if one.expires_at > unit.now}


async def settle(unit: Unit, identifier: str, state: EnrolmentState, ref: str | None) -> None:
    """Note what became of a wish."""
    await unit.connection.execute(update(enrolment).where(E.id == identifier).values(state=state, ref=ref))


async def online(connection: AsyncConnection, station: str) -> bool:
    """Whether a station has a connection."""
    state = station_state.c
    return bool(await connection.scalar(select(state.online).where(state.station_id == station)))


def _enrolment(identifier: str, person_id: str, station: str, state: str, *rest: Any) -> EnrolmentRow:
    ref, label, created_at, expires_at = rest
    sealed = None if label is None else bytes(label)
    return EnrolmentRow(identifier, person_id, station, EnrolmentState(state), ref, sealed, created_at, expires_at)


# --- cards that are proved ----------------------------------------------------------------------------

FREE = ("ordered", "active", "returned")
"""States of cards that somebody may begin to hold."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of who holds a card."""

    ref: str
    person: str
    state: str
    kind: str
    is_named: bool
    """Whether its person has a name here."""
    signs_in: bool
    """Whether its person has an account."""
    has_charged: bool
    """Whether a session ever ran on it."""

    @property
    def is_nobodys(self) -> bool:
        """Whether whoever taps it may have it: returned, or taken in for nobody in particular and never used.

        A card that charges is in somebody's pocket, named or not: it takes the code that came with it.
        """
        return self.state == "returned" or (self.is_claimable and not self.is_named and not self.has_charged)

    @property
    def is_claimable(self) -> bool:
        """Whether whoever has the code that came with it may have it: nobody who signs in holds it."""
        return self.state == "returned" or (self.state in FREE and not self.signs_in)


def _known() -> Any:
    is_named = exists(select(person.c.id).where(person.c.id == C.person_id, person.c.sealed.is_not(None)))
    signs_in = exists(select(account.c.id).where(account.c.person_id == C.person_id))
    has_charged = exists(select(session.c.id).where(session.c.token == C.ref))
    return select(C.ref, C.person_id, C.state, C.kind, is_named, signs_in, has_charged)


async def known(connection: AsyncConnection, ref: str) -> Known | None:
    """Who holds this card."""
    row = (await connection.execute(_known().where(C.ref == ref))).first()
    return None if row is None else _card(*row)


def _card(ref: str, person_id: str, state: str, kind: str, *rest: Any) -> Known:
    return Known(ref, person_id, state, kind, *map(bool, rest))


async def by_code(connection: AsyncConnection, tag: bytes) -> Known | None:
    """The card that came with the code of this tag."""
    row = (await connection.execute(_known().where(C.activation == tag))).first()
    return None if row is None else _card(*row)


async def give_code(unit: Unit, ref: str, tag: bytes) -> None:
    """A card comes with this code from now on; one that was returned is good again once the code was used."""
    state = case((C.state == "returned", "ordered"), else_=C.state)
    values = {"activation": tag, "state": state, "changed_at": unit.now}
    await unit.connection.execute(update(card).where(C.ref == ref).values(values))


async def use_code(unit: Unit, tag: bytes) -> bool:
    """Use a code up; False where it was used already."""
    used = update(card).where(C.activation == tag).values(activation=None)
    return bool((await unit.connection.execute(used)).rowcount)
