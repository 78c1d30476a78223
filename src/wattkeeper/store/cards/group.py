"""Groups of cards: their parent id for stations, master passes, and what binds each of their cards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.cards.token import Group
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.cards import limits
from wattkeeper.store.tables import card, card_group
from wattkeeper.store.unit import Unit

G = card_group.c


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group as staff see it."""

    group: Group
    cards: int
    """How many cards belong to it."""
    created_at: datetime


async def find(connection: AsyncConnection, viewer: Viewer, limit: int, after: str | None = None) -> list[GroupRow]:
    """The first ``limit`` groups after this name, by name."""
    viewer.need(Scope.CARDS_READ)
    wanted = _rows().order_by(G.name).limit(limit)
    rows = await connection.execute(wanted if after is None else wanted.where(G.name > after))
    return [_row(row) for row in rows]


async def one(connection: AsyncConnection, viewer: Viewer, name: str) -> GroupRow | None:
    """The group of this name."""
    viewer.need(Scope.CARDS_READ)
    row = (await connection.execute(_rows().where(G.name == name))).first()
    return None if row is None else _row(row)


def _rows() -> Any:
    count = select(func.count()).where(card.c.grouping == G.name).correlate(card_group).scalar_subquery()
    return select(G.name, G.parent_id, G.is_master_pass, G.limits, count, G.created_at)


def _row(row: Sequence[Any]) -> GroupRow:
    *rules, count, created_at = row
    return GroupRow(_group(*rules), count, created_at)


def _group(name: str, parent_id: str | None, is_master_pass: Any, text: str | None) -> Group:
    return Group(name, parent_id, bool(is_master_pass), limits.decode(text))


async def rules(unit: Unit, names: Collection[str]) -> dict[str, Group]:
    """The groups of these names, for the operations that put cards into them; those that do not exist are left out."""
    wanted = select(G.name, G.parent_id, G.is_master_pass, G.limits).where(G.name.in_(names))
    return {row.name: _group(*row) for row in await unit.connection.execute(wanted)}


async def has_parent(unit: Unit, parent_id: str, name: str) -> bool:
    """Whether another group than this one has this parent id."""
    others = select(G.name).where(G.parent_id == parent_id, G.name != name).limit(1)
    return await unit.connection.scalar(others) is not None


async def keep(unit: Unit, group: Group, by: str) -> None:
    """Make a group, or give the one of this name these rules; its cards have then changed too."""
    values = {"parent_id": group.parent_id, "is_master_pass": group.is_master_pass}
    values["limits"] = limits.encode(group.limits)
    changed = await unit.connection.execute(update(card_group).where(G.name == group.name).values(values))
    if not changed.rowcount:
        made = {"name": group.name, "created_at": unit.now, "created_by": by}
        await unit.connection.execute(insert(card_group).values(values | made))
    await unit.connection.execute(update(card).where(card.c.grouping == group.name).values(changed_at=unit.now))


async def has_cards(unit: Unit, name: str) -> bool:
    """Whether any card belongs to a group."""
    return await unit.connection.scalar(select(card.c.ref).where(card.c.grouping == name).limit(1)) is not None


async def remove(unit: Unit, name: str) -> bool:
    """Forget a group; False where there is none of this name."""
    return bool((await unit.connection.execute(delete(card_group).where(G.name == name))).rowcount)
