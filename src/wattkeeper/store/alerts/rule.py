"""Rules on alerts as kept, and who is told of each by mail."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.alerts.rule import Kind, Rule, Where
from wattkeeper.charging.cards.limits import Limits
from wattkeeper.charging.person import Viewer
from wattkeeper.store import reach
from wattkeeper.store.cards.limits import decode, encode
from wattkeeper.store.tables import alert_recipient, alert_rule
from wattkeeper.store.unit import Unit

R, T = alert_rule.c, alert_recipient.c
MOST = 1_000
"""How many rules are read at once."""


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule with its name and whom it tells."""

    id: str
    name: str
    rule: Rule
    hooks: tuple[str, ...]
    """The ids of the webhooks that are told."""
    accounts: tuple[str, ...]
    """The accounts of staff who are told by mail."""
    paused_at: datetime | None
    deleted_at: datetime | None
    created_at: datetime
    created_by: str

    @property
    def is_on(self) -> bool:
        """Whether it is measured."""
        return self.paused_at is None and self.deleted_at is None


async def find(connection: AsyncConnection, viewer: Viewer, *, deleted: bool = False) -> list[RuleRow]:
    """The rules that the viewer may know, by name; those taken away too where their alerts are to be named."""
    wanted = select(alert_rule).where(reach.alert_rules(viewer)).order_by(R.name, R.id).limit(MOST)
    return await _read(connection, wanted if deleted else wanted.where(R.deleted_at.is_(None)))


async def get(connection: AsyncConnection, viewer: Viewer, identifier: str) -> RuleRow | None:
    """One rule, where the viewer may know it and it was not taken away."""
    wanted = select(alert_rule).where(reach.alert_rules(viewer), R.id == identifier, R.deleted_at.is_(None))
    return next(iter(await _read(connection, wanted)), None)


async def count(connection: AsyncConnection) -> int:
    """How many rules there are, those taken away left out."""
    return len((await connection.execute(select(R.id).where(R.deleted_at.is_(None)))).all())


async def on(connection: AsyncConnection) -> list[RuleRow]:
    """The rules that are measured: for the watch."""
    return await _read(connection, select(alert_rule).where(R.paused_at.is_(None), R.deleted_at.is_(None)))


async def these(connection: AsyncConnection, ids: Collection[str]) -> dict[str, RuleRow]:
    """These rules, by id, taken away or not: for naming what was told of them."""
    return {row.id: row for row in await _read(connection, select(alert_rule).where(R.id.in_(ids)))}


async def put(unit: Unit, row: RuleRow) -> None:
    """Keep a rule, new or changed, and whom it tells."""
    values = {"id": row.id, "name": row.name, **_values(row.rule), "hooks": orjson.dumps(row.hooks).decode()}
    values |= {"paused_at": row.paused_at, "deleted_at": row.deleted_at}
    made = {"created_at": row.created_at, "created_by": row.created_by}
    changed = await unit.connection.execute(update(alert_rule).where(R.id == row.id).values(values))
    if not changed.rowcount:
        await unit.connection.execute(insert(alert_rule).values(values | made))
    await unit.connection.execute(delete(alert_recipient).where(T.rule_id == row.id))
    for account in row.accounts:
        await unit.connection.execute(insert(alert_recipient).values(rule_id=row.id, account_id=account))


def _values(rule: Rule) -> dict[str, Any]:
    """A rule's columns."""
    return {
        "kind": rule.kind.value,
        "reach": rule.where.value,
        "subject": rule.subject,
        "raise_at": rule.raise_at,
        "clear_at": rule.clear_at,
        "limit_kw": rule.limit_kw,
        "raise_after_s": _seconds(rule.raise_after),
        "clear_after_s": _seconds(rule.clear_after),
        "apart_s": _seconds(rule.apart),
        "is_below": rule.is_below,
        "quiet": encode(Limits(hours=rule.quiet)) or "{}",
        "is_harm": rule.is_harm,
    }


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


async def _read(connection: AsyncConnection, wanted: Any) -> list[RuleRow]:
    rows = (await connection.execute(wanted)).all()
    ids = [row.id for row in rows]
    told: dict[str, list[str]] = {}
    asked = select(T.rule_id, T.account_id).where(T.rule_id.in_(ids)).order_by(T.account_id)
    for rule_id, account in (await connection.execute(asked)).all() if ids else ():
        told.setdefault(rule_id, []).append(account)
    return [_row(row, told.get(row.id, [])) for row in rows]


def _row(row: Any, accounts: Sequence[str]) -> RuleRow:
    rule = Rule(
        kind=Kind(row.kind),
        where=Where(row.reach),
        subject=row.subject,
        raise_at=row.raise_at,
        clear_at=row.clear_at,
        limit_kw=row.limit_kw,
        raise_after=timedelta(seconds=row.raise_after_s),
        clear_after=timedelta(seconds=row.clear_after_s),
        apart=timedelta(seconds=row.apart_s),
        is_below=bool(row.is_below),
        quiet=decode(row.quiet).hours or (),
        is_harm=bool(row.is_harm),
    )
    times = (row.paused_at, row.deleted_at, row.created_at)
    return RuleRow(row.id, row.name, rule, tuple(orjson.loads(row.hooks)), tuple(accounts), *times, row.created_by)
