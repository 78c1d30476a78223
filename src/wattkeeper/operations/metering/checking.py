"""Signed values of sessions that have ended are checked beside the stations' door, and what came of it is recorded.

It follows the journal. A ruling depends on what was pinned then, so it is a fact of the journal: decided once, folded
and replayed like any other. A session waits for its ruling before it is billed.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.bus import Bus
from wattkeeper.charging.facts import SignaturesChecked
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.metering.judging import Checked, Expected, Holds, judge
from wattkeeper.charging.metering.ocmf import Record
from wattkeeper.charging.metering.ruling import Ruling, Why, told
from wattkeeper.operations.intake import Intake
from wattkeeper.operations.metering.carried import key_text
from wattkeeper.operations.metering.values import Value, values_of
from wattkeeper.operations.safe import Safe
from wattkeeper.operations.watching import catch_up, watch
from wattkeeper.store.engines import Store
from wattkeeper.store.metering import check, key, record
from wattkeeper.store.metering.key import KeyRow
from wattkeeper.store.money import billable, due
from wattkeeper.store.money.billable import Billable
from wattkeeper.vault.signature import KeyUnreadable, PublicKey, Uncheckable, holds, read_key

log = logging.getLogger("wattkeeper.signatures")

ENTRIES, TOGETHER = 5_000, 25
PAUSE_S, REST_S = 0.5, 5
MOST_OTHERS = 20
"""How many other meters are asked whether they signed."""
MOST_OFFERED = 3
CARDS = frozenset({"ISO14443", "ISO15693"})
UID = re.compile(r"([0-9A-Fa-f]{2}){4,10}")
LATER = timedelta(hours=1)


class Checking:
    """Checks what has ended, for as long as the installation runs."""

    def __init__(self, store: Store, safe: Safe, bus: Bus, intake: Intake) -> None:
        self._store = store
        self._safe = safe
        self._bus = bus
        self._intake = intake

    async def run(self) -> None:
        """Look whenever something was recorded, and at least every few seconds."""
        await watch(self._bus, ["journal"], self.look, log, pause_s=PAUSE_S, rest_s=REST_S)

    async def look(self) -> int:
        """Follow what was recorded, then check all whose time has come; gives how many were looked at."""
        await catch_up(self._store, self._follow)
        seen, by = 0, self._store.clock()
        while count := await self._see_to(by):
            seen += count
        await catch_up(self._store, self._follow)
        return seen

    async def _follow(self) -> int:
        """Note what is to be checked, in the next stretch of the journal; the number of its last entry, or 0."""
        async with self._store.read() as connection:
            before = await due.followed(connection, check.NAME)
            ended, n = await check.touched(connection, before.n, ENTRIES)
            wanted = await check.signs(connection, (await billable.of(connection, ended)).values()) if ended else []
        if n == before.n:
            return 0
        async with self._store.unit() as unit:
            if await due.advance(unit, check.NAME, before, n):
                await check.add(unit, wanted)
        return n

    async def _see_to(self, by: datetime) -> int:
        """Check some of those whose time has come by an instant; gives how many."""
        async with self._store.read() as connection:
            waiting = await check.waiting(connection, by, TOGETHER)
            found = await billable.of(connection, list(waiting)) if waiting else {}
        for identifier, since in waiting.items():
            try:
                again = await self._check(found[identifier]) if identifier in found else []
            except Exception:
                log.exception("the signed values of session %s could not be checked", shown(identifier))
                async with self._store.unit() as unit:
                    await check.put_off(unit, identifier, unit.now + LATER)
                continue
            async with self._store.unit() as unit:
                await check.done(unit, identifier, since)
                await check.add(unit, again)
        return len(waiting)

    async def _check(self, its: Billable) -> list[str]:
        """Record what a session's signed values come to, where that is news; gives what must be looked at again."""
        whole = its.whole
        if whole.is_live:
            return []
        async with self._store.read() as connection:
            ruling, again = await self._ruling(connection, its)
        if ruling == (whole.signed or Ruling()) and (whole.signed is not None or ruling == Ruling()):
            return []
        await self._intake.record(whole.station, SignaturesChecked(at=whole.last_at, session=whole.id, ruling=ruling))
        return again

    async def _ruling(self, connection: AsyncConnection, its: Billable) -> tuple[Ruling, list[str]]:
        """What a session's signed values come to, and the later sessions in which its records were told too."""
        whole, known = its.whole, its.known_at
        keys = await key.holding(connection, whole.station, whole.evse, known)
        required = await key.is_required(connection, whole.station, whole.evse, known)
        values = await values_of(connection, self._safe, whole.id)
        if not values and not keys and not required:
            return Ruling(), []
        serials = {one.record.serial for one in values if one.record}
        others = await key.others(connection, whole.station, serials, MOST_OTHERS) if keys else []
        pinned, checked = await asyncio.to_thread(_checked, values, keys, others)
        checked = [self._marked(one, whole.token) for one in checked]
        mark = pinned.mark if pinned else ""
        checked, again = await _replays(connection, whole.id, mark, checked)
        expected = Expected(pinned.serial if pinned else "", mark, required)
        return msgspec.structs.replace(judge(whole, checked, expected), offered=_offered(values)), again

    def _marked(self, one: Checked, token: str | None) -> Checked:
        """A checked value with its keyed mark, and whether it names another card."""
        if one.record is None:
            return one
        mark = self._safe.marks("signed record", one.record.payload)[0].hex()  # under older keys: found by its page
        return replace(one, mark=mark, is_for_another=self._is_for_another(one.record, token))

    def _is_for_another(self, signed: Record, token: str | None) -> bool:
        """Whether a record names a card, and it is not that of the session, in either order of its bytes."""
        uid = signed.identification.strip()
        comparable = token is not None and self._safe.is_known_name(token)
        if not comparable or signed.id_type not in CARDS or not UID.fullmatch(uid):
            return False
        return token not in {self._safe.ref(uid), self._safe.ref(bytes.fromhex(uid)[::-1].hex())}


def _checked(
    values: Sequence[Value], keys: Sequence[KeyRow], others: Sequence[KeyRow]
) -> tuple[KeyRow | None, list[Checked]]:
    """The key that counts, and what the check of each value gives under it; takes fractions of a millisecond."""
    pinned = _counting(values, keys)
    return pinned, [_check_one(one, pinned, others) for one in values]


def _counting(values: Sequence[Value], keys: Sequence[KeyRow]) -> KeyRow | None:
    """The pinned key that counts; where each of several may, that under which a value holds, if one does.

    One key may sign for several meters: that of a meter which is named goes first.
    """
    records = [one.record for one in values if one.record]
    named = {one.serial.casefold() for one in records}
    ordered = sorted(keys, key=lambda row: row.serial.casefold() not in named)
    if len(ordered) < 2:
        return ordered[0] if ordered else None
    return next((row for row in ordered if any(_is_under(row, one) for one in records)), ordered[0])


def _is_under(row: KeyRow, signed: Record) -> bool:
    """Whether a record holds under a key; not where nobody here can say."""
    with suppress(Uncheckable):
        return _holds(_public(row), signed)
    return False


def _check_one(one: Value, pinned: KeyRow | None, others: Sequence[KeyRow]) -> Checked:
    """What the check of one value gives under the pinned key."""
    if one.record is None:
        return Checked(Holds.UNREADABLE if one.carried.is_ocmf and pinned else Holds.UNKNOWN_FORM, one.n)
    if pinned is None:
        return Checked(Holds.NO_KEY, one.n, one.record)
    try:
        if _holds(_public(pinned), one.record):
            return Checked(Holds.YES, one.n, one.record)
    except Uncheckable as problem:
        return Checked(Holds.UNCHECKABLE, one.n, one.record, what=problem.what)
    return Checked(Holds.NO, one.n, one.record, signer=_signer(one, pinned, others))


def _holds(public: PublicKey, signed: Record) -> bool:
    return holds(public, signed.payload, signed.algorithm, signed.signature, signed.encoding)


def _public(row: KeyRow) -> PublicKey:
    return PublicKey(bytes.fromhex(row.key), row.curve)


def _signer(one: Value, pinned: KeyRow, others: Sequence[KeyRow]) -> str:
    """Who signed instead, as far as can be known: another meter of ours, or whoever brought a key along."""
    assert one.record is not None
    for other in others:
        with suppress(Uncheckable):
            if other.mark != pinned.mark and _holds(_public(other), one.record):
                return told(Why.OTHER_METER, other.serial)
    if one.carried.offered:
        with suppress(Uncheckable, KeyUnreadable):
            if _holds(read_key(key_text(one.carried.offered)), one.record):
                return told(Why.OFFERED_KEY)
    return ""


def _offered(values: Sequence[Value]) -> tuple[str, ...]:
    """The public keys that came along, each once, those that can be read."""
    found: dict[str, None] = {}
    for text in dict.fromkeys(one.carried.offered for one in values if one.carried.offered):
        with suppress(KeyUnreadable):
            found[read_key(key_text(text)).hex] = None
    return tuple(found)[:MOST_OFFERED]


async def _replays(
    connection: AsyncConnection, session: str, mark: str, checked: Sequence[Checked]
) -> tuple[list[Checked], list[str]]:
    """The values with what told each before; and the sessions that told one of them later than this."""
    mine: Mapping[str, Checked] = {one.mark: one for one in checked if one.holds is Holds.YES}
    pages = {one.record.paged: one for one in mine.values() if one.record}
    if not mine:
        return list(checked), []
    before: dict[str, int] = {}
    later: dict[str, None] = {}
    for other, its_mark, page, n in await record.told_before(connection, session, mark, list(mine), list(pages)):
        one = mine.get(its_mark) or pages.get(page)
        if one is not None and n < one.n:
            before.setdefault(one.mark, n)
        else:
            later[other] = None
    return [replace(one, told_before=before.get(one.mark, 0)) for one in checked], list(later)


def fingerprint(der: bytes) -> str:
    """What a public key is known by, in records and to people: SHA-256, 16 digits of it."""
    return hashlib.sha256(der).hexdigest()[:16]
