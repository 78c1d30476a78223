"""Stations' own lists of cards: what each confirmed and is being sent; cards as lists see them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import case, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.local_list import Content, Listable
from wattkeeper.charging.orders import Listing
from wattkeeper.store.limits import decode
from wattkeeper.store.tables import card, card_group, local_list, station, station_state, subject_key
from wattkeeper.store.unit import Unit

L = local_list.c
NOT_KEPT = -1
"""The version of a list that a station does not keep (1.6 5.10)."""


@dataclass(frozen=True, slots=True)
class ListRow:
    """How things stand with one station's list; the fields are the columns of ``local_list``."""

    station: str
    version: int = 0
    content: Content = field(default_factory=dict)
    sending: int | None = None
    sending_content: Content | None = None
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

    @property
    def confirmed(self) -> Content | None:
        """What the station has; None where nobody knows."""
        return None if self.confirmed_at is None else self.content


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
    return ListRow(name) if row is None else _list(*row)


async def place(connection: AsyncConnection, name: str) -> Place | None:
    """Where a station stands; None where there is no such station."""
    state = station_state.c
    wanted = select(station.c.site, state.booted_at, state.online)
    joined = wanted.select_from(station.outerjoin(station_state, state.station_id == station.c.id))
    row = (await connection.execute(joined.where(station.c.id == name))).first()
    return None if row is None else Place(row.site, row.booted_at, bool(row.online))


async def keep(unit: Unit, row: ListRow) -> None:
    """Set how things stand with a station's list."""
    values = {column.name: getattr(row, column.name) for column in COLUMNS if column is not L.station_id}
    values["content"] = orjson.dumps(row.content).decode()
    under_way = row.sending_content
    values["sending_content"] = None if under_way is None else orjson.dumps(under_way).decode()
    changed = await unit.connection.execute(update(local_list).where(L.station_id == row.station).values(values))
    if not changed.rowcount:
        await unit.connection.execute(insert(local_list).values(values | {"station_id": row.station}))


async def drop_removed(unit: Unit) -> None:
    """Forget the lists of stations that are no more."""
    await unit.connection.execute(delete(local_list).where(L.station_id.not_in(select(station.c.id))))


def _list(*row: Any) -> ListRow:
    """The list of a row selected as COLUMNS."""
    name, version, content, sending, under_way, *rest = row
    parsed = None if under_way is None else orjson.loads(under_way)
    return ListRow(name, version, orjson.loads(content), sending, parsed, *rest)


# --- cards as lists see them --------------------------------------------------------------------------

LISTED = {"blocked": Listing.BLOCKED, "lost": Listing.BLOCKED, "replaced": Listing.BLOCKED}
SPOILT = frozenset({*LISTED, "returned"})
"""States of cards that a station may still remember as good."""
APP = "app"


@dataclass(frozen=True, slots=True)
class Page:
    """Some cards as lists see them."""

    cards: list[Listable]
    spoilt_at: datetime | None
    """When the last of them was spoilt."""
    last: str | None
    """The pseudonym of the last one; None where there are no more."""


async def page(connection: AsyncConnection, after: str, limit: int) -> Page:
    """The next ``limit`` cards after this pseudonym; app tokens are good at one place alone and on no list."""
    c, group = card.c, card_group.c
    may = case((group.is_master_pass.is_(True), "refuse"), else_=c.offline)  # such a pass starts nothing
    wanted = select(c.ref, c.state, may, c.expires_at, c.limits, group.limits, c.changed_at, c.created_at)
    joined = wanted.select_from(card.outerjoin(card_group, group.name == c.grouping)).where(c.kind != APP)
    rows = (await connection.execute(joined.where(c.ref > after).order_by(c.ref).limit(limit))).all()
    spoilt = max((row.changed_at for row in rows if row.state in SPOILT), default=None)
    return Page([_listable(*row) for row in rows], spoilt, rows[-1].ref if len(rows) == limit else None)


async def state_of_cards(connection: AsyncConnection) -> tuple[Any, ...]:
    """What changes whenever a card that lists may concern does."""
    counted = select(func.count(), func.max(card.c.changed_at)).where(card.c.kind != APP)
    return tuple((await connection.execute(counted)).one())


def _listable(
    ref: str, state: str, offline: str, expires: Any, own: str | None, group: str | None, changed: Any, enrolled: Any
) -> Listable:
    listing = LISTED.get(state, Listing.REMOVED)
    if state == "active" and offline == "accept":
        listing = Listing.ACCEPTED
    return Listable(ref, listing, expires, _sites(own, group), changed, enrolled)


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


