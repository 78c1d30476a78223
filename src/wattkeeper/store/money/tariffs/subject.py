"""What tariffs can be assigned to, and who would start where."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.cards.token import CardKind
from wattkeeper.charging.money.tariffs.assignment import Rank, Spot
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.money.billable import group_of
from wattkeeper.store.stations.place import named
from wattkeeper.store.tables import card, card_group, person, station
from wattkeeper.store.unit import Unit

COLUMNS: dict[Rank, Any] = {
    Rank.DRIVER: person.c.id,
    Rank.GROUP: card_group.c.name,
    Rank.STATION: station.c.id,
    Rank.SITE: station.c.site,
}


async def exists(unit: Unit, rank: Rank, of: str) -> bool:
    """Whether there is such a person, group, connector, station or site; for everyone, whether nobody is named.

    A connector is one that its station has told of, or that people gave a plug.
    """
    if rank is Rank.EVERYONE:
        return of == ""
    if rank is Rank.CONNECTOR:
        name, _, evse = of.rpartition("/")
        is_number = evse.isdecimal() and evse.isascii() and len(evse) < 10
        place = (await named(unit.connection, [name])).get(name) if is_number else None
        return place is not None and int(evse) in place.evses
    column = COLUMNS[rank]
    return of != "" and await unit.connection.scalar(select(column).where(column == of).limit(1)) is not None


async def spot(
    connection: AsyncConnection,
    name: str,
    evse: int | None,
    ref: str | None,
    who: str | None,
    grouping: str | None = None,
) -> Spot | None:
    """Who would start where: by a card's pseudonym, as a person, with a card of a group, or as anybody.

    None: no such station or card.
    """
    site = await connection.scalar(select(station.c.site).where(station.c.id == name))
    if site is None:
        return None
    group = await group_of(connection, who) if who else grouping or ""
    if ref is not None:
        row = (await connection.execute(select(card.c.person_id, card.c.grouping).where(card.c.ref == ref))).first()
        if row is None:
            return None
        who, group = row.person_id, row.grouping or ""
    return Spot(person=who or "", group=group, station=name, evse=evse, site=site)


async def cards_of(connection: AsyncConnection, viewer: Viewer, persons: Collection[str]) -> dict[str, list[str]]:
    """The last two characters of the cards that each of these persons holds (scope cards:read): names nobody."""
    viewer.need(Scope.CARDS_READ)
    wanted = select(card.c.person_id, card.c.last2).where(
        card.c.person_id.in_(persons), card.c.kind != CardKind.APP.value
    )
    found: dict[str, list[str]] = {}
    for who, last2 in await connection.execute(wanted.order_by(card.c.created_at)):
        found.setdefault(who, []).append(last2)
    return found
