"""Stations' own lists of cards: what each confirmed and is being sent; cards as lists see them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import case, delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.cards.local_list import Content, Listable
from wattkeeper.charging.orders import Listing
from wattkeeper.store.cards.limits import decode
from wattkeeper.store.columns import EPOCH, to_micros
from wattkeeper.store.tables import card, card_group, list_content, local_list, station, station_state, subject_key
from wattkeeper.store.unit import Unit

L = local_list.c
EMPTY = ""
"""The id of the content of an empty list."""
NOT_KEPT = -1
"""The version of a list that a station does not keep (1.6 5.10)."""


@dataclass(frozen=True, slots=True)
class ListRow:
    """How things stand with one station's list; the fields are the columns of ``local_list``."""

    station: str
    version: int = 0
    content: str = EMPTY
    """What it confirmed: the id of a content."""
    sending: int | None = None
    sending_content: str | None = None
    order_id: str | None = None
    tries: int = 0
    next_at: datetime | None = None
    sent_at: datetime | None = None
    confirmed_at: datetime | None = None
    """When it confirmed ``version``; None while nobody knows what it has."""
    says: str | None = None
    delay_ms: int | None = None
    asked_at: datetime | None = None
    most_entries: int | None = None
    most_at_once: int | None = None
    has_cache: bool | None = None
    cleared_at: datetime | None = None


COLUMNS = (
    *(L.station_id, L.version, L.content, L.sending, L.sending_content, L.order_id, L.tries, L.next_at, L.sent_at),
    *(L.confirmed_at, L.says, L.delay_ms, L.asked_at, L.most_entries, L.most_at_once, L.has_cache, L.cleared_at),
)


@dataclass(frozen=True, slots=True)
class Place:
    """What a station is to its list: where it stands, and when it last started."""

    site: str
    booted_at: datetime | None
    online: bool


async def one(connection: AsyncConnection, name: str) -> ListRow:
    """The list of a station; a fresh one where there is none yet."""
    row = (await connection.execute(select(*COLUMNS).where(L.station_id == name))).first()
    return ListRow(name) if row is None else ListRow(*row)


async def places(connection: AsyncConnection, names: Sequence[str]) -> dict[str, Place]:
    """Where these stations stand, by name; those that are no more are left out."""
    state = station_state.c
    wanted = select(station.c.id, station.c.site, state.booted_at, state.online)
    joined = wanted.select_from(station.outerjoin(station_state, state.station_id == station.c.id))
    rows = await connection.execute(joined.where(station.c.id.in_(names)))
    return {name: Place(site, booted_at, bool(online)) for name, site, booted_at, online in rows}


async def keep(unit: Unit, rows: Iterable[ListRow], contents: Mapping[str, Content]) -> None:
    """Set how things stand with some lists at the unit's next flush, and keep these contents, by their ids."""
    wanted = select(list_content.c.id).where(list_content.c.id.in_([*contents]))
    kept = set(await unit.connection.scalars(wanted)) if contents else set()
    for identifier in contents.keys() - kept:
        unit.upsert(list_content, (identifier,), (identifier, orjson.dumps(contents[identifier]).decode()))
    for row in rows:
        values = (getattr(row, column.name if column is not L.station_id else "station") for column in COLUMNS)
        raw = tuple(to_micros(value) if isinstance(value, datetime) else value for value in values)
        unit.upsert(local_list, (row.station,), raw)


def content_id(content: Content) -> str:
    """The id of a content: the same for the same content, empty for an empty list."""
    if not content:
        return EMPTY
    return hashlib.blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


async def content(connection: AsyncConnection, identifier: str) -> Content | None:
    """What a list of this content says; None where nobody knows any more."""
    if identifier == EMPTY:
        return {}
    text = await connection.scalar(select(list_content.c.content).where(list_content.c.id == identifier))
    return None if text is None else {sys.intern(ref): sys.intern(says) for ref, says in orjson.loads(text).items()}


async def drop_unused(unit: Unit) -> None:
    """Forget the lists of stations that are no more, and contents that no list holds."""
    await unit.connection.execute(delete(local_list).where(L.station_id.not_in(select(station.c.id))))
    used = select(L.content).union(select(L.sending_content).where(L.sending_content.is_not(None)))
    await unit.connection.execute(delete(list_content).where(list_content.c.id.not_in(used)))


# --- cards as lists see them --------------------------------------------------------------------------

LISTED = {"blocked": Listing.BLOCKED, "lost": Listing.BLOCKED, "replaced": Listing.BLOCKED}
SPOILT = frozenset({*LISTED, "returned"})
"""States of cards that a station may still remember as good."""
APP = "app"


Position = tuple[datetime, str]
"""Up to where cards were read: when the last one changed, and its pseudonym."""
START: Position = (EPOCH, "")


@dataclass(frozen=True, slots=True)
class Page:
    """Some cards as lists see them."""

    cards: list[Listable]
    spoilt_at: datetime | None
    """When the last of them was spoilt."""
    last: Position | None
    """The place of the last one; None where there are none."""


async def changed(connection: AsyncConnection, after: Position, limit: int) -> Page:
    """The next ``limit`` cards that changed after this; app tokens are good at one place alone and on no list."""
    c, group = card.c, card_group.c
    may = case((group.is_master_pass.is_(True), "refuse"), else_=c.offline)  # such a pass starts nothing
    wanted = select(c.ref, c.state, may, c.expires_at, c.limits, group.limits, c.changed_at, c.created_at)
    joined = wanted.select_from(card.outerjoin(card_group, group.name == c.grouping)).where(c.kind != APP)
    later = joined.where(tuple_(c.changed_at, c.ref) > after).order_by(c.changed_at, c.ref).limit(limit)
    rows = (await connection.execute(later)).all()
    spoilt = max((row.changed_at for row in rows if row.state in SPOILT), default=None)
    last = (rows[-1].changed_at, rows[-1].ref) if rows else None
    return Page([_listable(*row) for row in rows], spoilt, last)


def _listable(
    ref: str, state: str, offline: str, expires: Any, own: str | None, group: str | None, changed: Any, enrolled: Any
) -> Listable:
    listing = LISTED.get(state, Listing.REMOVED)
    if state == "active" and offline == "accept":
        listing = Listing.ACCEPTED
    return Listable(sys.intern(ref), listing, expires, _sites(own, group), changed, enrolled)


def _sites(*limits: str | None) -> frozenset[str] | None:
    """Where all of these limits allow to charge; None is anywhere."""
    told = [sites for text in limits if (sites := decode(text).sites) is not None]
    return frozenset.intersection(*told) if told else None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A card's number, sealed under its person's key, and that key, wrapped."""

    ref: str
    person: str
    number: bytes
    wrapped: bytes


async def numbers(connection: AsyncConnection, refs: Collection[str]) -> list[Sealed]:
    """The sealed numbers of these cards; one whose person's key was destroyed has none."""
    c, key = card.c, subject_key.c
    joined = select(c.ref, c.person_id, c.sealed, key.wrapped).join(subject_key, key.subject == c.person_id)
    rows = await connection.execute(joined.where(c.ref.in_(refs)))
    return [Sealed(ref, person, bytes(number), bytes(wrapped)) for ref, person, number, wrapped in rows]
