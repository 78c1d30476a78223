"""`wattkeeper bills`: what was billed and why, what waits for a person, and the deeds that settle it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.table import Table

from wattkeeper.charging.evidence import kwh
from wattkeeper.charging.identifiers import parse, shown
from wattkeeper.charging.money.billing import say
from wattkeeper.charging.phrase import Money
from wattkeeper.commands.terminal import VIEWER, Database, fail, number_of, out, rooms_of, run, store_of
from wattkeeper.settings import load

app = typer.Typer(help="What was billed and why, and what waits for a person.", no_args_is_help=True)
SessionId = Annotated[str, typer.Argument(metavar="SESSION", help="As it was said: K7QM-4XRD-T.")]
Number = Annotated[str, typer.Argument(metavar="BILL", help="Such as 2026-000123.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands on the bill.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")]


def money(minor: int, row: Any) -> Money:
    """An amount of minor units as people write it."""
    return Money(Decimal(minor).scaleb(-row.digits), row.currency, row.digits)


@app.command("list")
def list_bills(
    station: Annotated[str | None, typer.Option(help="Only of this station.")] = None,
    session: Annotated[str | None, typer.Option(help="Only of this session.")] = None,
    limit: Limit = 20,
    database: Database = None,
) -> None:
    """List bills, corrections and credit notes, newest first."""

    async def work() -> list[Any]:
        from wattkeeper.store.money.bill import Sought, find

        wanted = Sought(station=station, session=None if session is None else _session(session))
        async with store_of(database) as store, store.read() as connection:
            return await find(connection, VIEWER, wanted, limit)

    found = run(work())
    if not found:
        out.print("Nothing was billed yet. Sessions bill themselves once a price is set and their evidence is good.")
        return
    table = Table("Number", "Kind", "Session", "Station", "Issued (UTC)", "Energy", "To pay", "By", box=None)
    for row in found:
        place = (row.number, row.kind.value.replace("_", " "), shown(row.session), row.station)
        energy = kwh(f"{row.energy_wh:f}")
        table.add_row(*place, f"{row.issued_at:%Y-%m-%d %H:%M}", energy, money(row.gross_minor, row), row.by)
    out.print(table)


@app.command()
def show(number: Number, database: Database = None) -> None:
    """Show one bill: its lines, its tax, and what was corrected later."""

    async def work() -> tuple[Any, Any, list[Any]]:
        from wattkeeper.store.money.bill import Sought, find

        async with store_of(database) as store:
            row, why = await _bills(store).explain(VIEWER, number)
            async with store.read() as connection:
                return row, why, await find(connection, VIEWER, Sought(session=row.session), 100)

    row, why, documents = run(work())
    said = _said(row, why)
    _print_head(row, said)
    for line in said.lines:
        out.print(f"  {line.what:<40} {line.gross:>12}", markup=False)
    _print_sums(said)
    for other in sorted(documents, key=lambda one: (one.issued_at, one.place)):
        if other.number != row.number:
            kind = other.kind.value.replace("_", " ")
            out.print(f"See also: {kind} {other.number}, {money(other.gross_minor, other)}.", markup=False)


@app.command()
def explain(number: Number, database: Database = None) -> None:
    """Say why a bill says what it says: each line, its price, its readings, its tax, its rounding."""

    async def work() -> tuple[Any, Any]:
        async with store_of(database) as store:
            found: tuple[Any, Any] = await _bills(store).explain(VIEWER, number)
            return found

    row, why = run(work())
    said = _said(row, why)
    _print_head(row, said)
    for line in said.lines:
        out.print(f"\n{line.what}: {line.net} + {line.vat} tax = {line.gross}", markup=False)
        if line.how:
            out.print(f"  {line.how}", markup=False)
        for span in line.spans:
            out.print(f"    {span}", markup=False, soft_wrap=True)
    out.print()
    _print_sums(said)
    for note in said.notes:
        out.print(note, markup=False, soft_wrap=True)


def _bills(store: Any) -> Any:
    """The deeds on bills, of which these commands only look: that needs no keys."""
    from wattkeeper.bus.memory import MemoryBus
    from wattkeeper.operations.money.bills import Bills

    return Bills(store, MemoryBus(), load())


def _said(row: Any, why: Any) -> Any:
    """A document in words, by the installation's clock."""
    from wattkeeper.operations.money.papers.explaining import explained

    return explained(row, why, load().zone)


def _print_head(row: Any, said: Any) -> None:
    """What it is, and of which session."""
    out.print(f"{said.title}", markup=False, style="bold")
    out.print(f"Session {shown(row.session)}, issued {row.issued_at:%Y-%m-%d %H:%M} UTC by {row.by}", markup=False)
    for fact in said.facts:
        out.print(f"  {fact}", markup=False, soft_wrap=True)


def _print_sums(said: Any) -> None:
    """What it comes to."""
    out.print(f"Without tax {said.net}, tax {said.vat}, to pay {said.gross}.", markup=False, style="bold")


@app.command()
def holds(limit: Limit = 50, database: Database = None) -> None:
    """List the sessions that wait for a person, and why."""

    async def work() -> tuple[list[Any], list[Any]]:
        from wattkeeper.store.money import hold, proposal

        async with store_of(database) as store, store.read() as connection:
            return await hold.find(connection, VIEWER, limit), await proposal.find(connection, VIEWER, limit)

    waiting, proposed = run(work())
    if not waiting:
        out.print("No session waits for a person.")
    for row in waiting:
        billed = "" if row.billed_minor is None else f", billed {money(row.billed_minor, row)}"
        amount = f"{money(row.gross_minor, row)} for {kwh(f'{row.energy_wh:f}')}{billed}"
        head = f"{shown(row.session)}  {row.station}  since {row.since:%Y-%m-%d %H:%M} UTC: {amount}"
        out.print(head, markup=False, style="bold")
        for reason in row.reasons:
            out.print(f"  {say(reason)}", markup=False, soft_wrap=True)
    for row in proposed:
        what = f"{row.wish.deed.value} session {shown(row.session)} ({money(row.difference_minor, row)})"
        out.print(f"Proposed by {row.created_by}: {what}: {row.wish.said}", markup=False)
        out.print("  It waits for another person, who is signed in, to agree.")


@app.command()
def accept(
    session: SessionId,
    reason: Annotated[str, typer.Option("--reason", help="Why, if there is something to say.")] = "",
    database: Database = None,
) -> None:
    """Bill a session that waits as its station told it."""
    _do(session, "accept", reason, database)


@app.command()
def correct(
    session: SessionId,
    reason: Reason,
    energy_kwh: Annotated[str | None, typer.Option("--energy", help="The energy it is billed for, kWh.")] = None,
    total: Annotated[str | None, typer.Option(help="Or what it comes to with tax, such as 12.50.")] = None,
    database: Database = None,
) -> None:
    """Bill a session for another energy or amount, or correct what was billed, by a new document."""
    energy = None if energy_kwh is None else number_of(energy_kwh) * 1000
    _do(session, "correct", reason, database, energy_wh=energy, total=None if total is None else number_of(total))


@app.command()
def waive(session: SessionId, reason: Reason, database: Database = None) -> None:
    """Do not bill a session that waits; or leave its bill as it is."""
    _do(session, "waive", reason, database)


def _do(
    session: str,
    deed: str,
    reason: str,
    database: str | None,
    energy_wh: Decimal | None = None,
    total: Decimal | None = None,
) -> None:
    """Do it, and say what came of it."""

    async def work() -> Any:
        from wattkeeper.store.money.proposal import Deed, Wish

        identifier = _session(session)
        async with rooms_of(database) as rooms:
            minor = None if total is None else await rooms.bills.minor_of(VIEWER, identifier, total)
            wish = Wish(deed=Deed(deed), said=reason, energy_wh=energy_wh, gross_minor=minor)
            return await rooms.bills.do(VIEWER, identifier, wish)

    done = run(work())
    if done.proposal is not None:
        out.print("That changes more than one person may: it waits for another, who is signed in, to agree.")
    elif done.number is not None:
        out.print(f"Done: {done.number}.", markup=False)
    else:
        out.print("Done; nothing was billed.")


def _session(said: str) -> str:
    """The session that was said."""
    identifier = parse(said)
    if identifier is None:
        fail(f"{said!r} is not a session id: it has nine symbols, the last a check. Was one misheard?")
    return identifier
