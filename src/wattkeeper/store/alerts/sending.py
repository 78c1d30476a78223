"""What is to be told of alerts to whom: decided with the alert in one transaction, tried until it is taken."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.tables import alert_sending
from wattkeeper.store.unit import Unit

S = alert_sending.c
LONGEST_ANSWER = 100


class Sent(StrEnum):
    """Where a sending is."""

    WAITING = "waiting"
    SENT = "sent"
    """A mail server's queue or a webhook took it."""
    GIVEN_UP = "given_up"
    """It was tried for a day."""
    DROPPED = "dropped"
    """Nobody is to be told any more: it was over before quiet hours were, or whom it was for is gone."""


class Word(StrEnum):
    """What is told."""

    RAISED = "raised"
    CLEARED = "cleared"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class SendingRow:
    """One word to one recipient; its id is what a webhook knows it again by."""

    id: str
    rule: str
    alert: str
    word: Word
    account: str
    hook: str
    state: Sent
    tries: int
    next_at: datetime
    begun_at: datetime
    created_at: datetime
    sent_at: datetime | None
    answer: str


async def enter(
    unit: Unit, rule: str, alert: str, word: Word, accounts: Iterable[str], hooks: Iterable[str], not_before: datetime
) -> int:
    """Decide to tell these accounts and webhooks; how many."""
    common: dict[str, Any] = {
        "rule_id": rule,
        "alert_id": alert,
        "word": word.value,
        "state": Sent.WAITING.value,
        "tries": 0,
    }
    common |= {"next_at": not_before, "begun_at": not_before, "created_at": unit.now, "answer": ""}
    whom = [*((one, "") for one in accounts), *(("", one) for one in hooks)]
    rows = [common | {"id": f"msg_{secrets.token_hex(12)}", "account_id": one, "hook_id": hook} for one, hook in whom]
    if rows:
        await unit.connection.execute(insert(alert_sending), rows)
    return len(rows)


async def due(
    connection: AsyncConnection, now: datetime, limit: int, of_each: int, without: Collection[str] = ()
) -> list[SendingRow]:
    """What is to be tried now by itself: letters that people try, then of each webhook the longest waiting.

    Webhooks of ``without`` are left out, and what one letter tells together: `letter`.

    No more than ``of_each`` of one recipient: whoever has thousands waiting hides nobody else's.
    """
    by_wait = func.row_number().over(partition_by=(S.account_id, S.hook_id), order_by=(S.next_at, S.id))
    waits = (S.state == Sent.WAITING.value) & (S.next_at <= now) & S.hook_id.not_in(without)
    waits &= (S.hook_id != "") | (S.alert_id == "")
    ranked = select(S.id, by_wait.label("place")).where(waits).subquery()
    wanted = select(alert_sending).join(ranked, ranked.c.id == S.id).where(ranked.c.place <= of_each)
    order = (S.hook_id != "", ranked.c.place, S.next_at, S.id)
    return [_row(row) for row in await connection.execute(wanted.order_by(*order).limit(limit))]


async def take(unit: Unit, row: SendingRow, until: datetime) -> bool:
    """Take one to try it; False where another sender has it. Left without an answer, it is due again at ``until``."""
    which = (S.id == row.id) & (S.state == Sent.WAITING.value) & (S.tries == row.tries) & (S.next_at <= unit.now)
    changed = await unit.connection.execute(
        update(alert_sending).where(which).values(tries=row.tries + 1, next_at=until)
    )
    return bool(changed.rowcount)


async def settle(unit: Unit, identifier: str, state: Sent, answer: str) -> None:
    """One was taken, given up or dropped."""
    values: dict[str, Any] = {"state": state.value, "answer": answer[:LONGEST_ANSWER]}
    values |= {"sent_at": unit.now} if state is Sent.SENT else {}
    await unit.connection.execute(update(alert_sending).where(_waits(identifier)).values(values))


async def put_off(unit: Unit, identifier: str, until: datetime, answer: str) -> None:
    """Try one again later."""
    values: dict[str, Any] = {"next_at": until, "answer": answer[:LONGEST_ANSWER]}
    await unit.connection.execute(update(alert_sending).where(_waits(identifier)).values(values))


def _waits(identifier: str) -> ColumnElement[bool]:
    return (S.id == identifier) & (S.state == Sent.WAITING.value)


async def drop_untold(unit: Unit, alert: str) -> None:
    """Drop what of an episode was never tried: nobody is told any more that it was raised."""
    waits = (S.alert_id == alert) & (S.word == Word.RAISED.value) & (S.state == Sent.WAITING.value) & (S.tries == 0)
    await unit.connection.execute(update(alert_sending).where(waits).values(state=Sent.DROPPED.value))


async def told_of(connection: AsyncConnection, alert: str) -> tuple[list[str], list[str]]:
    """Which accounts and webhooks were told, or are being told, that an episode was raised."""
    which = (S.alert_id == alert) & (S.word == Word.RAISED.value) & (S.state != Sent.DROPPED.value)
    rows = (await connection.execute(select(S.account_id, S.hook_id).where(which).order_by(S.id))).all()
    return [account for account, _ in rows if account], [hook for _, hook in rows if hook]


async def drop_for(unit: Unit, *, hook: str) -> None:
    """Drop what waits for a webhook that is no more."""
    waits = (S.hook_id == hook) & (S.state == Sent.WAITING.value)
    await unit.connection.execute(update(alert_sending).where(waits).values(state=Sent.DROPPED.value))


async def of(connection: AsyncConnection, alerts: Collection[str]) -> dict[str, list[SendingRow]]:
    """What was told of these episodes, by their ids, in order."""
    found: dict[str, list[SendingRow]] = {}
    wanted = select(alert_sending).where(S.alert_id.in_(alerts)).order_by(S.created_at, S.id)
    for row in await connection.execute(wanted):
        found.setdefault(row.alert_id, []).append(_row(row))
    return found


async def newest_tries(connection: AsyncConnection, limit: int) -> list[SendingRow]:
    """The newest tries that people asked for."""
    wanted = select(alert_sending).where(S.alert_id == "").order_by(S.created_at.desc(), S.id).limit(limit)
    return [_row(row) for row in await connection.execute(wanted)]


async def given_up(connection: AsyncConnection, since: datetime) -> int:
    """How many were given up since an instant."""
    wanted = select(func.count()).where(S.state == Sent.GIVEN_UP.value, S.created_at >= since)
    return int(await connection.scalar(wanted) or 0)


def _row(row: Any) -> SendingRow:
    whom = (row.id, row.rule_id, row.alert_id, Word(row.word), row.account_id, row.hook_id)
    times = (row.next_at, row.begun_at, row.created_at, row.sent_at)
    return SendingRow(*whom, Sent(row.state), row.tries, *times, row.answer)
