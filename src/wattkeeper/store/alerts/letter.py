"""What of alerts is due to be told to one person: one letter tells all of it, and settles it in its transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, false, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.store import reach
from wattkeeper.store.alerts.sending import LONGEST_ANSWER, Sent, Word
from wattkeeper.store.tables import alert, alert_rule, alert_sending
from wattkeeper.store.unit import Unit

A, R, S = alert.c, alert_rule.c, alert_sending.c
STILL, PATIENCE = timedelta(seconds=5), timedelta(minutes=1)
"""A letter waits until nothing more came for it for so long, or something waited for so long."""


@dataclass(frozen=True, slots=True)
class Due:
    """How much of a rule is to be told."""

    rule: str
    """What people call it."""
    word: Word
    count: int


async def readers(connection: AsyncConnection, now: datetime, limit: int) -> list[str]:
    """To whom a letter is due, by account, the longest waiting first."""
    is_due = (S.state == Sent.WAITING.value) & (S.next_at <= now) & (S.account_id != "") & (S.alert_id != "")
    came = (func.max(S.created_at) <= now - STILL) | (func.min(S.created_at) <= now - PATIENCE)
    wanted = select(S.account_id).where(is_due).group_by(S.account_id).having(came)
    return list(await connection.scalars(wanted.order_by(func.min(S.next_at), S.account_id).limit(limit)))


async def by_rule(connection: AsyncConnection, account: str, now: datetime) -> list[Due]:
    """How much is due to be told to somebody, by rule and word, the most first."""
    counted = func.count()
    wanted = select(func.coalesce(R.name, ""), S.word, counted).where(_due(account, now))
    rows = wanted.join(alert_rule, R.id == S.rule_id, isouter=True).group_by(S.rule_id, R.name, S.word)
    found = await connection.execute(rows.order_by(counted.desc(), R.name, S.rule_id, S.word))
    return [Due(name, Word(word), int(count)) for name, word, count in found]


async def first(connection: AsyncConnection, account: str, now: datetime, limit: int) -> list[tuple[Word, str]]:
    """The first of what is due: the word, and of which episode. What is on comes first, and of that what harms."""
    wanted = select(S.word, S.alert_id).join(alert, A.id == S.alert_id).where(_due(account, now))
    order = (S.word != Word.RAISED.value, A.is_harm.desc(), A.raised_at, A.subject, A.id)
    rows = await connection.execute(wanted.order_by(*order).limit(limit))
    return [(Word(word), identifier) for word, identifier in rows]


async def drop_unseen(unit: Unit, viewer: Viewer, account: str) -> None:
    """Drop what somebody may not know of, or what is there no more."""
    try:
        seen = select(A.id).where(reach.alerts(viewer))
    except Refusal:
        seen = select(A.id).where(false())
    await _settle(unit, _due(account, unit.now) & S.alert_id.not_in(seen), Sent.DROPPED, "no_address")


async def settle(unit: Unit, account: str, state: Sent, answer: str) -> None:
    """All that is due to somebody was told, or dropped; of what was raised it is noted that somebody was told."""
    due = _due(account, unit.now)
    if state is Sent.SENT:
        raised = select(S.alert_id).where(due, S.word == Word.RAISED.value)
        told = update(alert).where(A.told_at.is_(None), A.id.in_(raised)).values(told_at=unit.now)
        await unit.connection.execute(told)
    await _settle(unit, due, state, answer)


async def tries(connection: AsyncConnection, account: str, now: datetime) -> int:
    """How often the letter that is due to somebody was tried in vain."""
    return int(await connection.scalar(select(func.max(S.tries)).where(_due(account, now))) or 0)


async def give_up(unit: Unit, account: str, begun_before: datetime) -> None:
    """Try no more what is told to somebody by letter, and was begun before an instant."""
    waits = (S.account_id == account) & (S.alert_id != "") & (S.state == Sent.WAITING.value)
    await _settle(unit, waits & (S.begun_at < begun_before), Sent.GIVEN_UP, "not_written")


async def put_off(unit: Unit, account: str, until: datetime) -> None:
    """Try all that is due to somebody again later."""
    tried: dict[str, Any] = {"next_at": until, "tries": S.tries + 1}
    await unit.connection.execute(update(alert_sending).where(_due(account, unit.now)).values(tried))


async def _settle(unit: Unit, which: ColumnElement[bool], state: Sent, answer: str) -> None:
    values: dict[str, Any] = {"state": state.value, "answer": answer[:LONGEST_ANSWER], "tries": S.tries + 1}
    values |= {"sent_at": unit.now} if state is Sent.SENT else {}
    await unit.connection.execute(update(alert_sending).where(which).values(values))


def _due(account: str, now: datetime) -> ColumnElement[bool]:
    """What is due to somebody by letter; a try is a letter of its own."""
    return (S.account_id == account) & (S.alert_id != "") & (S.state == Sent.WAITING.value) & (S.next_at <= now)
