"""Prices: the tariff and its versions, what a session costs so far or in the end, and what one's months came to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.cards.token import TokenRef
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.money.bill import Bill, price
from wattkeeper.charging.money.billing import Reason
from wattkeeper.charging.money.exact import ZERO
from wattkeeper.charging.money.tariffs.assignment import STANDARD, Spot
from wattkeeper.charging.money.tariffs.tariff import Tariff, check
from wattkeeper.charging.money.usage import planned
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.session import SessionState
from wattkeeper.operations.money.tariffs.choosing import choose, pinned
from wattkeeper.operations.money.tariffs.price_words import said_at
from wattkeeper.operations.money.tariffs.worth import bill_of, usage_of, worked_out
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.money import bill as bills
from wattkeeper.store.money import billable, hold
from wattkeeper.store.money.bill import BillRow
from wattkeeper.store.money.tariffs import tariff as tariffs
from wattkeeper.store.money.tariffs.tariff import TariffRow
from wattkeeper.store.sessions import receipt as receipts
from wattkeeper.store.sessions.receipt import ReceiptRow

ANYWHERE = Spot()
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
"""What a tariff is called."""
NO_PRICE = phrase("No price is set here, so charging costs nothing.")
HAD_NO_PRICE = phrase("No price was set when this session started, so it costs nothing.")
RUNNING = phrase("It is still running: this is what it has cost so far.")
IN_DOUBT = phrase("Something about this session contradicts itself. A person checks it before it is billed.")
ESTIMATED = phrase("Part of this session had to be estimated. A person checks it before it is billed.")
WAIVED = phrase("It is not billed: somebody has waived it.")
CORRECTED = phrase("What was billed for it was corrected.")
PAST = phrase("Prices hold for what starts later; choose an instant to come.")
CHANGED = phrase("Somebody else has changed this tariff since you began.")
TAKEN = phrase("There is a tariff of this name already.")
GRADES = {
    Grade.VERIFIED: phrase("Signed by the meter, and the signature was checked."),
    Grade.MEASURED: phrase("Measured completely by the station, without contradiction."),
    Grade.RECONSTRUCTED: phrase("Part of it had to be reconstructed, because the station did not tell everything."),
    Grade.DISPUTED: phrase("What the station told contradicts itself."),
}


@dataclass(frozen=True, slots=True)
class PriceTag:
    """What charging costs, before it starts."""

    words: tuple[str, ...]
    """One line for each price, as a driver pays it, such as ``€0.49 for each kWh``; what holds now stands first."""
    tariff: Tariff | None
    """As it is on that day. None: no price is set."""
    version: int | None
    at: datetime
    """When it holds."""
    name: str = ""
    """Which tariff."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A session with what it costs: running while it lives, final once it has ended."""

    session: str
    """Without dashes; ``identifiers.shown`` says it."""
    station: str
    name: str
    """The station's name for people; its id where it has none."""
    address: str
    evse: int | None
    state: SessionState
    live: bool
    started_at: datetime
    ended_at: datetime | None
    duration_s: int
    charging_s: int
    """In which energy flowed."""
    parking_s: int
    """Plugged in without energy flowing."""
    energy_wh: Decimal | None
    power_w: Decimal | None
    """What flows now."""
    soc_percent: Decimal | None
    bill: Bill | None
    """None: no price was set when it started."""
    version: int | None
    """The version of the tariff, which is the one that was valid when it started."""
    words: str
    """Why there is no bill, or that it still runs, or that it waits for a person; empty where all is said."""
    grade: Grade
    grade_words: str
    documents: tuple[BillRow, ...] = ()
    """What was billed for it, in the order of its issue."""
    is_waived: bool = False
    """Whether a person decided that it is not billed."""
    waits: tuple[Reason, ...] | None = None
    """Why it waits for a person; None: it does not."""
    token: TokenRef | None = None
    """The pseudonym of the token it ran on."""
    by_phone: bool = False
    """Whether it was asked for on a phone."""

    @property
    def gross_minor(self) -> int | None:
        """What is to pay: by what was billed, else by what it comes to; None: no price was set."""
        if self.documents or self.is_waived:
            return sum(one.gross_minor for one in self.documents)
        return None if self.bill is None else self.bill.gross_minor


@dataclass(frozen=True, slots=True)
class Month:
    """What one's sessions of a month came to, by their start in the installation's zone."""

    month: str
    """Such as ``2026-03``."""
    sessions: int
    energy_wh: Decimal
    duration_s: int
    costs: Sequence[tuple[str, int, int]]
    """Currency (ISO 4217), minor units to pay, digits of the minor unit; none where nothing had a price."""


def estimated(tag: PriceTag, energy_wh: Decimal, charging_s: Decimal, parking_s: Decimal = ZERO) -> Bill | None:
    """What a session would cost that begins when a price holds, charges evenly and then stands; None: no price is set.

    By the one money function, as the bill will be.
    """
    if tag.tariff is None:
        return None
    return price(planned(tag.at, energy_wh, charging_s, parking_s), tag.tariff)


class Prices:
    """Sets prices and works out what sessions cost; the money itself is `charging.bill.price`."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._zone = settings.zone

    async def tag(self, at: datetime | None = None, spot: Spot = ANYWHERE) -> PriceTag:
        """What charging costs that starts at a spot at an instant, or now; for anyone."""
        return (await self.tags([spot], at))[0]

    async def tags(self, spots: Sequence[Spot], at: datetime | None = None) -> list[PriceTag]:
        """What charging costs at each of these spots."""
        wanted = at or self._store.clock()
        async with self._store.read() as connection:
            choices = await choose(connection, spots, wanted)
        return [_tag(choice.row, wanted) for choice in choices]

    async def versions(self, viewer: Viewer) -> list[TariffRow]:
        """Every version of the tariff, the newest first (scope tariffs:read)."""
        async with self._store.read() as connection:
            return await tariffs.versions(connection, viewer)

    async def set(
        self,
        viewer: Viewer,
        tariff: Tariff,
        valid_from: datetime | None = None,
        identifier: str = STANDARD,
        seen: int | None = None,
    ) -> TariffRow:
        """Set the prices of a tariff for sessions that start from an instant on, or from now (scope tariffs:write).

        ``seen`` is the newest version that whoever sets them knows, 0 where there is none yet.
        Refusal INVALID: what cannot be billed by, an instant that has passed, or a name that is none.
        Refusal CONFLICT: there is another version since.
        """
        viewer.need(Scope.TARIFFS_WRITE)
        check(tariff)
        if not NAME.fullmatch(identifier):
            raise Refusal(Code.INVALID, phrase("A tariff's name has 1 to 40 letters, digits, dashes or underscores."))
        async with self._store.unit() as unit:
            if valid_from is not None and valid_from < unit.now:
                raise Refusal(Code.INVALID, PAST)
            newest = await tariffs.newest(unit, identifier)
            if seen is not None and seen != newest:
                raise Refusal(Code.CONFLICT, CHANGED if seen else TAKEN, newest=newest)
            return await tariffs.keep(unit, tariff, valid_from or unit.now, viewer.name, identifier)

    async def receipt(self, viewer: Viewer, session: str) -> Receipt:
        """One's own session (or any, for staff; id without dashes) with what it costs so far; Refusal NOT_FOUND."""
        async with self._store.read() as connection:
            row = await receipts.one(connection, viewer, session)
            if row is None:
                raise Refusal(Code.NOT_FOUND, phrase("There is no such session."))
            return (await self._receipts(connection, [row], exactly=True))[0]

    async def history(self, viewer: Viewer, month: str | None = None) -> list[Receipt]:
        """One's own sessions with what they cost, the newest first; of one month (``2026-03``) or of all."""
        person = viewer.need_own(Scope.SESSIONS_READ)
        span = (None, None) if month is None else self._span(month)
        async with self._store.read() as connection:
            rows = await receipts.own(connection, person, *span)
            return await self._receipts(connection, rows, exactly=False)

    async def _receipts(self, connection: AsyncConnection, rows: list[ReceiptRow], *, exactly: bool) -> list[Receipt]:
        """The receipts of sessions; ``exactly``: with the instants of each line."""
        ids = [row.id for row in rows]
        choices = await pinned(connection, await billable.of(connection, ids))
        documents = await bills.of_sessions(connection, ids)
        waived = await hold.waived(connection, [one for one in ids if one not in documents])
        waiting = await hold.waiting(connection, ids)
        now, told = self._store.clock(), []
        for row in rows:
            version = choices[row.id].row
            worth = await _worth(connection, row, version, exactly=exactly)
            receipt = receipt_of(row, version, now, worth, tuple(documents.get(row.id, ())), row.id in waived)
            told.append(replace(receipt, waits=waiting.get(row.id)))
        return told

    async def months(self, viewer: Viewer) -> list[Month]:
        """One's own months, the newest first."""
        told = await self.history(viewer)
        by_month = groupby(told, key=lambda one: f"{one.started_at.astimezone(self._zone):%Y-%m}")
        return [_month(month, [*some]) for month, some in by_month]

    def _span(self, month: str) -> tuple[datetime, datetime]:
        """The instants at which a month begins and ends; Refusal INVALID where it is none."""
        try:
            begins = datetime.strptime(month, "%Y-%m").replace(tzinfo=self._zone)
            ends = (begins.replace(day=28) + timedelta(days=4)).replace(day=1)
            return begins.astimezone(UTC), ends.astimezone(UTC)
        except (ValueError, OverflowError):
            raise Refusal(Code.INVALID, phrase("A month is a year and a number, such as 2026-03.")) from None


def _tag(row: TariffRow | None, at: datetime) -> PriceTag:
    """What charging costs by a version of a tariff."""
    if row is None:
        return PriceTag((NO_PRICE,), None, None, at)
    return PriceTag(said_at(row.tariff, at), row.tariff.on(at), row.version, at, row.id)


async def _worth(
    connection: AsyncConnection, row: ReceiptRow, version: TariffRow | None, *, exactly: bool
) -> Bill | None:
    """What a session costs by the version of a tariff that it was pinned to.

    In full once it has ended; while it runs, its page asks often, so only what that takes.
    """
    if version is None:
        return None
    if exactly and not row.live:
        return await worked_out(await usage_of(connection, row.whole, version.tariff), version.tariff)
    return await bill_of(connection, row.whole, row.last_n, version)


def receipt_of(
    row: ReceiptRow,
    version: TariffRow | None,
    now: datetime,
    bill: Bill | None,
    documents: tuple[BillRow, ...] = (),
    is_waived: bool = False,
) -> Receipt:
    """A session's receipt as of an instant."""
    whole = row.whole
    by_now = whole.last_at + max(now - row.heard_at, timedelta(0))  # on the station's clock, which may be wrong
    span = (row.ended_at or by_now) - row.started_at
    return Receipt(
        session=row.id,
        station=row.station,
        name=row.label or row.station,
        address=row.address or "",
        evse=row.evse,
        state=row.state,
        live=row.live,
        started_at=row.started_at,
        ended_at=row.ended_at,
        duration_s=max(0, span // timedelta(seconds=1)),
        charging_s=int(whole.track.charging_s),
        parking_s=int(whole.track.parking_s),
        energy_wh=whole.energy_wh,
        power_w=row.power_w if row.live else None,
        soc_percent=whole.track.soc_last,
        bill=bill,
        version=None if version is None else version.version,
        words=_words(row, version, documents, is_waived),
        grade=row.grade,
        grade_words=GRADES[row.grade],
        documents=documents,
        is_waived=is_waived,
        token=whole.token,
        by_phone=row.asked_at is not None,
    )


def _words(row: ReceiptRow, version: TariffRow | None, documents: Sequence[BillRow], is_waived: bool) -> str:
    """What there is to say of the amount."""
    if is_waived:
        return WAIVED
    if documents:
        return CORRECTED if len(documents) > 1 else ""
    if version is None:
        return HAD_NO_PRICE
    if row.live:
        return RUNNING
    return {Grade.DISPUTED: IN_DOUBT, Grade.RECONSTRUCTED: ESTIMATED}.get(row.grade, "")


def _month(month: str, told: list[Receipt]) -> Month:
    """What the sessions of a month came to."""
    costs: Counter[tuple[str, int]] = Counter()
    for one, bill in ((one, one.bill) for one in told if one.bill is not None):
        costs[bill.currency, bill.digits] += one.gross_minor or 0
    energy_wh = sum((one.energy_wh or Decimal(0) for one in told), Decimal(0))
    sums = [(currency, amount, digits) for (currency, digits), amount in sorted(costs.items())]
    return Month(month, len(told), energy_wh, sum(one.duration_s for one in told), sums)
