"""The ledger: entries numbered without gaps, lines that add up to nothing, and the balance of each account."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.ledger import AccountKind, EntryKind, Posting, balanced, owed
from wattkeeper.charging.person import Reach, Scope, Viewer
from wattkeeper.store.columns import to_micros
from wattkeeper.store.tables import ledger_balance, ledger_entry, ledger_line
from wattkeeper.store.unit import Unit

E, N, B = ledger_entry.c, ledger_line.c, ledger_balance.c


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry to be made."""

    kind: EntryKind
    ref: str
    """The bill's number, or what the payment is called: one entry of a kind for each."""
    by: str
    lines: Sequence[Posting]


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry as it stands in the ledger."""

    n: int
    at: datetime
    kind: EntryKind
    ref: str
    by: str
    lines: tuple[Posting, ...]

    @property
    def is_billed(self) -> bool:
        """Whether it is for a bill, a correction or a credit note, whose number is its ref."""
        return self.kind in (EntryKind.CHARGE, EntryKind.CREDIT)


async def post(unit: Unit, entries: Collection[Entry]) -> list[int]:
    """Write entries and what they change of balances; their numbers. One that moves nothing gets none, which is 0.

    Raises `Unbalanced` before anything is written; nobody else writes meanwhile, for the unit has the turn.
    """
    checked = [(one, balanced(one.lines)) for one in entries]
    n = int(await unit.connection.scalar(select(func.max(E.n))) or 0)
    numbers = []
    for one, lines in checked:
        n += bool(lines)
        numbers.append(n if lines else 0)
        if lines:
            _write(unit, n, one, lines)
    await unit.flush()
    return numbers


def _write(unit: Unit, n: int, one: Entry, lines: tuple[Posting, ...]) -> None:
    """The lines first: the entry seals them."""
    for place, line in enumerate(lines):
        unit.insert(ledger_line, (n, place, line.account, line.currency, line.amount_minor))
        unit.add(ledger_balance, ("amount_minor",), (line.account, line.currency, line.amount_minor))
    unit.insert(ledger_entry, (n, to_micros(unit.now), one.kind.value, one.ref, one.by))


async def is_posted(unit: Unit, kind: EntryKind, ref: str) -> bool:
    """Whether there is an entry of this kind for a bill or a payment: it is told again, then."""
    known = select(E.n).where(E.ref == ref, E.kind == kind.value)
    return await unit.connection.scalar(known) is not None


async def newest(connection: AsyncConnection) -> int:
    """The number of the newest entry; 0 where there is none."""
    return int(await connection.scalar(select(func.max(E.n))) or 0)


# --- looking ------------------------------------------------------------------------------------------------


async def entries(
    connection: AsyncConnection, viewer: Viewer, limit: int, before: int | None = None, account: str | None = None
) -> list[EntryRow]:
    """The newest entries before a number, of one account or of all (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    wanted = select(E.n)
    if account is not None:
        wanted = select(N.entry.label("n")).where(N.account == account).distinct()
    column = E.n if account is None else N.entry
    if before is not None:
        wanted = wanted.where(column < before)
    numbers = list((await connection.execute(wanted.order_by(column.desc()).limit(limit))).scalars())
    return await _whole(connection, numbers)


async def of_ref(connection: AsyncConnection, viewer: Viewer, ref: str) -> list[EntryRow]:
    """The entries for a bill or a payment, in order (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    numbers = (await connection.execute(select(E.n).where(E.ref == ref).order_by(E.n))).scalars()
    return await _whole(connection, list(numbers))


async def within(
    connection: AsyncConnection, viewer: Viewer, since: datetime, until: datetime, n: int, limit: int
) -> list[EntryRow]:
    """The entries of a period after a number, in order (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    wanted = select(E.n).where(E.n > n, E.at >= since, E.at < until).order_by(E.n).limit(limit)
    return await _whole(connection, list((await connection.execute(wanted)).scalars()))


async def after(connection: AsyncConnection, n: int, limit: int) -> list[EntryRow]:
    """The entries after a number, in order: for what follows the ledger, never for showing."""
    numbers = (await connection.execute(select(E.n).where(E.n > n).order_by(E.n).limit(limit))).scalars()
    return await _whole(connection, list(numbers))


async def _whole(connection: AsyncConnection, numbers: list[int]) -> list[EntryRow]:
    """Entries with their lines, in the order of these numbers."""
    lines: dict[int, list[Posting]] = {n: [] for n in numbers}
    query = select(N.entry, N.account, N.currency, N.amount_minor).where(N.entry.in_(numbers))
    for n, *line in await connection.execute(query.order_by(N.entry, N.place)):
        lines[n].append(Posting(*line))
    rows = {row.n: row for row in await connection.execute(select(ledger_entry).where(E.n.in_(numbers)))}
    found = [rows[n] for n in numbers]
    return [EntryRow(row.n, row.at, EntryKind(row.kind), row.ref, row.by, tuple(lines[row.n])) for row in found]


async def balances(
    connection: AsyncConnection, viewer: Viewer, kind: AccountKind | None = None, limit: int = 1000, after: str = ""
) -> list[Posting]:
    """What accounts hold, by name, those that hold nothing left out (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    query = select(B.account, B.currency, B.amount_minor).where(B.amount_minor != 0, B.account > after)
    if kind is not None:
        query = query.where(B.account >= f"{kind.value}:", B.account < f"{kind.value};")
    return [Posting(*row) for row in await connection.execute(query.order_by(B.account, B.currency).limit(limit))]


async def owing(connection: AsyncConnection, viewer: Viewer, person: str) -> list[Posting]:
    """What a person owes, by currency: anyone's for staff, one's own for a driver (scope bills:read)."""
    if viewer.reach(Scope.BILLS_READ) is not Reach.ANYWHERE:
        person = viewer.need_own(Scope.BILLS_READ)
    query = select(B.account, B.currency, B.amount_minor).where(B.account == owed(person)).order_by(B.currency)
    return [Posting(*row) for row in await connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What is owed in one currency: by how many, and what is owed to how many, minor units, both above zero."""

    currency: str
    debtors: int
    owed_minor: int
    creditors: int
    owing_minor: int


async def outstanding(connection: AsyncConnection, viewer: Viewer) -> list[Outstanding]:
    """What is owed for charging, and what we owe back, by currency (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    amount, kind = B.amount_minor, AccountKind.OWED.value
    sums = [func.sum(case((amount > 0, one), else_=0)) for one in (1, amount)]
    sums += [func.sum(case((amount < 0, one), else_=0)) for one in (1, -amount)]
    wanted = select(B.currency, *sums).where(amount != 0, B.account >= f"{kind}:", B.account < f"{kind};")
    rows = await connection.execute(wanted.group_by(B.currency).order_by(B.currency))
    return [Outstanding(currency, *map(int, told)) for currency, *told in rows]


async def largest(
    connection: AsyncConnection,
    viewer: Viewer,
    limit: int,
    *,
    owing: bool = False,
    kind: AccountKind = AccountKind.OWED,
) -> list[Posting]:
    """The accounts of a kind that owe most, or are owed most (below zero), the largest first (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    amount = B.amount_minor
    wanted = select(B.account, B.currency, amount).where(B.account >= f"{kind}:", B.account < f"{kind};")
    wanted = wanted.where(amount < 0).order_by(amount) if owing else wanted.where(amount > 0).order_by(amount.desc())
    return [Posting(*row) for row in await connection.execute(wanted.limit(limit))]


# --- what is derived ----------------------------------------------------------------------------------------


async def sum_up(unit: Unit) -> None:
    """Work out every balance anew from the lines."""
    await unit.connection.execute(delete(ledger_balance))
    sums = select(N.account, N.currency, func.sum(N.amount_minor)).group_by(N.account, N.currency)
    await unit.connection.execute(insert(ledger_balance).from_select(["account", "currency", "amount_minor"], sums))
