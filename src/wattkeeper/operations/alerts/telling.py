"""Tells of alerts what was decided to be told: letters into the queue of mail, webhooks over the network.

What is due to one person is one letter, queued in the transaction that settles all that it tells: once. A webhook is
told outside of any transaction, and may have heard what nobody wrote down; it is told again under the same id. Each is
tried with growing waits for a day.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import orjson

from wattkeeper.bus import Bus
from wattkeeper.charging.alerts.rule import FORMS, PRICES
from wattkeeper.operations.access import viewer_of
from wattkeeper.operations.alerts.episodes import TOPIC
from wattkeeper.operations.alerts.hooks import opened
from wattkeeper.operations.alerts.letters import Letter, heard, letter_of, try_of
from wattkeeper.operations.alerts.webhook import Answer, Webhooks
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.profile import PRODUCTION
from wattkeeper.operations.safe import Safe
from wattkeeper.operations.watching import watch
from wattkeeper.settings import Settings
from wattkeeper.store.alerts import alert, hook, letter, sending
from wattkeeper.store.alerts import rule as rules
from wattkeeper.store.alerts.alert import AlertRow
from wattkeeper.store.alerts.hook import HookRow
from wattkeeper.store.alerts.rule import RuleRow
from wattkeeper.store.alerts.sending import SendingRow, Sent, Word
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account
from wattkeeper.store.people.account import AccountRow, AccountState
from wattkeeper.store.unit import Unit
from wattkeeper.vault.keys import KeyRefused

log = logging.getLogger("wattkeeper.alerts")

PAUSE_S, REST_S = 1, 5
TOGETHER, OF_EACH = 50, 5
"""How much is told at once, and how much of that to one recipient; there are no more webhooks than are told at once."""
LEASE = timedelta(minutes=1)
"""How long a sending belongs to who took it: longer than a webhook may take."""
FIRST_WAIT, LONGEST_WAIT, DAY = timedelta(seconds=10), timedelta(hours=3), timedelta(days=1)
LONGEST_ASKED = timedelta(hours=6)
"""How long a webhook may ask to be left alone."""
MAIL_KIND = "alert"


def wait_after(tries: int, asked_s: int = 0) -> timedelta:
    """How long to wait after so many tries in vain: thrice as long each time, and as long as was asked for."""
    thrice: int = 3 ** min(tries - 1, 10)
    own = min(LONGEST_WAIT, FIRST_WAIT * thrice)
    return max(own, min(LONGEST_ASKED, timedelta(seconds=asked_s)))


class Telling:
    """Empties the outbox of alerts."""

    def __init__(
        self, store: Store, safe: Safe, bus: Bus, settings: Settings, mail: Mail, webhooks: Webhooks | None = None
    ) -> None:
        self._store = store
        self._safe = safe
        self._bus = bus
        self._settings = settings
        self._mail = mail
        self._webhooks = webhooks or Webhooks(
            may_be_inside=settings.alert_inside, is_strict=settings.profile == PRODUCTION
        )
        self._failed: dict[str, datetime] = {}
        """When webhooks last did not take something: each is left alone for the first wait, whatever else is due."""

    async def run(self) -> None:
        """Tell whenever an alert began or ended, and whenever a wait is over."""
        await watch(self._bus, [TOPIC], self.look, log, pause_s=PAUSE_S, rest_s=REST_S)

    async def look(self) -> int:
        """Try everything that is due; how many tries that was."""
        count = 0
        while tried := await self._round():
            count += tried
        return count

    async def _round(self) -> int:
        """Try some of what is due once, of each webhook a few: one that is dead holds up no other for long."""
        now = self._store.clock()
        self._failed = {one: at for one, at in self._failed.items() if now < at + FIRST_WAIT}
        async with self._store.read() as connection:
            readers = await letter.readers(connection, now, TOGETHER)
            rows = await sending.due(connection, now, TOGETHER, OF_EACH, self._failed)
        tries = [*(self._write(one) for one in readers), *(self._try(row) for row in rows)]
        done = await asyncio.gather(*tries, return_exceptions=True)
        for problem in done:
            if isinstance(problem, BaseException):
                log.error("an alert could not be told: %s", type(problem).__name__)
        if done:
            self._bus.announce("alert sendings")
        return len(done)

    async def _try(self, row: SendingRow) -> None:
        await (self._write_try(row) if row.account else self._post(row))

    # --- mail -------------------------------------------------------------------------------------------

    async def _write(self, reader: str) -> None:
        """Queue one letter about all that is due to an account; what cannot be written is tried again for a day."""
        try:
            async with self._store.unit() as unit:
                await self._letter(unit, reader)
        except Exception:
            async with self._store.unit() as unit:
                tried = await letter.tries(unit.connection, reader, unit.now)
                again = unit.now + wait_after(tried + 1)
                await letter.put_off(unit, reader, again)
                if tried:  # however long it waited while nobody was here to write it
                    await letter.give_up(unit, reader, again - DAY)
            raise

    async def _letter(self, unit: Unit, reader: str) -> None:
        """Queue a letter in its reader's language, where they still work here, and settle all that it tells."""
        whose = await _staff(unit, reader)
        if whose is None:
            await letter.settle(unit, reader, Sent.DROPPED, "no_account")
            return
        viewer = viewer_of(whose)
        await letter.drop_unseen(unit, viewer, reader)
        told = await heard(unit, viewer, reader)
        if told.count:
            zone, where = self._settings.zone, self._where
            is_written = await self._queued(unit, whose, lambda language: letter_of(told, language, zone, where))
            state, answer = (Sent.SENT, "") if is_written else (Sent.DROPPED, "no_address")
            await letter.settle(unit, reader, state, answer)

    async def _write_try(self, row: SendingRow) -> None:
        """Queue a letter about a try."""
        async with self._store.unit() as unit:
            if not await sending.take(unit, row, unit.now + LEASE):
                return
            whose = await _staff(unit, row.account)
            if whose is None:
                await sending.settle(unit, row.id, Sent.DROPPED, "no_account")
                return
            rule = (await rules.these(unit.connection, [row.rule])).get(row.rule)
            name, where = rule.name if rule else "", self._where
            is_written = await self._queued(unit, whose, lambda language: try_of(name, language, where))
            state, answer = (Sent.SENT, "") if is_written else (Sent.DROPPED, "no_address")
            await sending.settle(unit, row.id, state, answer)

    async def _queued(self, unit: Unit, whose: AccountRow, worded: Callable[[str], Letter]) -> bool:
        """Queue what is worded in its reader's language; False where they have no address, or were forgotten."""
        try:
            one = worded((await self._mail.known(unit, whose)).get("language", "en"))
            return await self._mail.write(unit, whose.person, MAIL_KIND, one.subject, one.text)
        except KeyRefused:
            return False

    @property
    def _where(self) -> str:
        return f"{self._mail.home}/alerts"

    # --- webhooks ---------------------------------------------------------------------------------------

    async def _post(self, row: SendingRow) -> None:
        """Tell a webhook, outside of any transaction, and write down what came of it."""
        async with self._store.unit() as unit:
            if not await sending.take(unit, row, unit.now + LEASE):
                return
            there = (await hook.these(unit.connection, [row.hook])).get(row.hook)
            if there is None or there.ended_at is not None:
                await sending.settle(unit, row.id, Sent.DROPPED, "no_hook")
                return
            about = (await alert.these(unit.connection, [row.alert])).get(row.alert)
            rule = (await rules.these(unit.connection, [row.rule])).get(row.rule)
        answer = await self._told(row, there, body_of(row, about, rule))
        async with self._store.unit() as unit:
            await self._answered(unit, row, answer)

    async def _told(self, row: SendingRow, there: HookRow, body: bytes) -> Answer:
        try:
            address, secret = opened(self._safe, there)
        except KeyRefused:
            return Answer(0, "secret")
        return await self._webhooks.tell(address, secret, row.id, body, self._store.clock())

    async def _answered(self, unit: Unit, row: SendingRow, answer: Answer) -> None:
        """Settle what was taken, end what wants no more, try the rest again within its day."""
        if answer.is_taken:
            await self._settled(unit, row, Sent.SENT, answer.words)
            return
        if answer.wants_no_more:
            await hook.end(unit, row.hook, answer.words)
            await sending.settle(unit, row.id, Sent.GIVEN_UP, answer.words)
            await sending.drop_for(unit, hook=row.hook)
            return
        self._failed[row.hook] = unit.now
        again = unit.now + wait_after(row.tries + 1, answer.wait_s)
        if again > row.begun_at + DAY:
            log.warning("a webhook for alerts was tried for a day and given up: %s", answer.words)
            await sending.settle(unit, row.id, Sent.GIVEN_UP, answer.words)
        else:
            await sending.put_off(unit, row.id, again, answer.words)

    async def _settled(self, unit: Unit, row: SendingRow, state: Sent, answer: str) -> None:
        await sending.settle(unit, row.id, state, answer)
        if state is Sent.SENT and row.word is Word.RAISED:
            await alert.told(unit, row.alert)


async def _staff(unit: Unit, identifier: str) -> AccountRow | None:
    """An account, while it works here."""
    row = await account.by_id(unit.connection, identifier)
    return row if row is not None and row.state is AccountState.ACTIVE and row.role.is_staff else None


def body_of(row: SendingRow, about: AlertRow | None, rule: RuleRow | None) -> bytes:
    """What a webhook is told: kinds, places and figures, and nothing that names a person."""
    data: dict[str, object] = {"rule": row.rule}
    at = row.created_at
    if rule is not None:
        data |= {"kind": rule.rule.kind.value}
    if about is not None:
        data |= _figures(about)
        at = about.cleared_at if row.word is Word.CLEARED and about.cleared_at else about.raised_at
    told = {"type": f"alert.{row.word.value}", "timestamp": at.isoformat(), "data": data}
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


def _figures(about: AlertRow) -> dict[str, object]:
    """An alert's figures; numbers are texts, so that none is rounded on the way."""
    unit = about.figures.get("currency", "") + "/kWh" if about.kind in PRICES else FORMS[about.kind].unit
    told: dict[str, object] = {"alert": about.id, "kind": about.kind.value, "station": about.station or None}
    told |= {"site": about.site or None, "value": str(about.value), "raise_at": str(about.raise_at), "unit": unit}
    told |= {"figures": dict(about.figures), "state": about.state.value, "is_harm": about.is_harm}
    over = None if about.cleared_at is None else about.cleared_at.isoformat()
    return told | {"raised_at": about.raised_at.isoformat(), "cleared_at": over, "ended": about.ended.value or None}
