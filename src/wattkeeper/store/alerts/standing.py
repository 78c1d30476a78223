"""How things stand by rules, as kept between two looks: only what is not quiet, or waits to be."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.alerts.standing import Standing, State
from wattkeeper.store.columns import to_micros
from wattkeeper.store.tables import alert_standing
from wattkeeper.store.unit import Unit

S = alert_standing.c
Key = tuple[str, str]
"""A rule's id, and what stands so by it."""


async def of(
    connection: AsyncConnection, rules: Collection[str], subjects: Collection[str] | None = None
) -> dict[Key, Standing]:
    """How everything stands by these rules, or these things alone; what is not named stands as at the beginning."""
    wanted = select(alert_standing).where(S.rule_id.in_(rules))
    rows = await connection.execute(wanted if subjects is None else wanted.where(S.subject.in_(subjects)))
    return {
        (row.rule_id, row.subject): Standing(State(row.state), row.beyond_since, row.within_since, row.raised_at)
        for row in rows
    }


def put(unit: Unit, key: Key, standing: Standing) -> None:
    """Keep how something stands, at the next flush."""
    times = (standing.beyond_since, standing.within_since, standing.raised_at)
    raw = [None if at is None else to_micros(at) for at in times]
    unit.upsert(alert_standing, key, (*key, standing.state.value, *raw))


async def forget(unit: Unit, rule: str, subjects: Collection[str] | None = None) -> None:
    """Forget how things stand by a rule: all of them, or these."""
    which = S.rule_id == rule
    which = which if subjects is None else which & S.subject.in_(subjects)
    await unit.connection.execute(delete(alert_standing).where(which))
