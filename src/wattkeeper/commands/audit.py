"""`wattkeeper audit`: check everything that is kept against what must hold of it."""

from __future__ import annotations

import json
from datetime import datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from wattkeeper.charging.evidence import kwh
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.meter import figure
from wattkeeper.charging.money.discrepancy import NAMES, Discrepancy, Kind
from wattkeeper.charging.phrase import Money
from wattkeeper.commands.privacy.given import given_checkpoints, given_keys
from wattkeeper.commands.terminal import VIEWER, Database, err, out, run, store_of
from wattkeeper.settings import load

app = typer.Typer(help="Check everything that is kept against what must hold of it.", no_args_is_help=True)


@app.callback()
def audit() -> None:
    """Check everything that is kept against what must hold of it."""


@app.command()
def ledger(database: Database = None) -> None:
    """Check every bill and every entry: numbers without gaps, sums, balances, revenue, contents as they were issued."""

    async def work() -> Any:
        from wattkeeper.operations.money.audit import audit_ledger
        from wattkeeper.store.engines import Store

        settings = load(database=database)
        store = Store(settings.database)
        with Progress(console=err, transient=True) as progress:
            bar = progress.add_task("Checking bills")
            try:
                told = lambda done, of: progress.update(bar, completed=done, total=of)  # noqa: E731
                return await audit_ledger(store, settings.zone, told)
            finally:
                await store.close()

    found = run(work())
    for fault in found.faults:
        err.print(fault, markup=False, soft_wrap=True)
    told = f"{found.bills:,} bills, {found.entries:,} entries with {found.lines:,} lines"
    if not found.is_clean:
        err.print(f"{told}: {len(found.faults)} faults.")
        raise typer.Exit(1)
    out.print(f"{told}: everything adds up.")


@app.command()
def log(
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="FILE|KEY", help="The log's key, where it was kept elsewhere."),
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", metavar="FILE", help="A checkpoint kept elsewhere, as by a witness."),
    ] = None,
    database: Database = None,
) -> None:
    """Compare every row that is logged with the log, and the log with all that was signed; names the first bad one."""
    keys, earlier = given_keys(key or ()), given_checkpoints(checkpoint or ())

    async def work() -> Any:
        from wattkeeper.operations.log.auditing import audit_log

        async with store_of(database) as store:
            with Progress(console=err, transient=True) as progress:
                bar = progress.add_task("Comparing entries")
                told = lambda done, of: progress.update(bar, completed=done, total=of)  # noqa: E731
                return await audit_log(store, keys, earlier, told)

    found = run(work())
    told = f"{_many(found.entries, 'entry', 'entries')} under {_many(found.checkpoints, 'checkpoint')}"
    told += f", {found.waiting:,} that are not signed yet" if found.waiting else ""
    told += f", {found.gone:,} whose rows had to go" if found.gone else ""
    for fault in found.faults[:20]:
        which = "" if fault.index is None else f"Entry {fault.index}"
        which += f" ({fault.kind} {fault.ref})" if fault.kind else ""
        err.print(f"{which}: {fault.what}" if which else str(fault.what), markup=False, soft_wrap=True)
    if found.faults:
        err.print(f"{told}: {_many(len(found.faults), 'fault')}.")
        raise typer.Exit(1)
    out.print(f"{told}: everything is as it was logged.")
    if not earlier:
        out.print(
            "What this cannot say: whether all of it was signed anew. Give a --checkpoint kept elsewhere.",
            soft_wrap=True,
        )


DAY = ["%Y-%m-%d"]


@app.command()
def sessions(
    since: Annotated[
        datetime | None, typer.Option(formats=DAY, help="From this day on, such as 2026-03-01.", show_default=False)
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=DAY, help="Before this day, such as 2026-04-01.", show_default=False)
    ] = None,
    site: Annotated[str | None, typer.Option(help="Only at this site.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many are told one by one; all are counted.")] = 1000,
    only: Annotated[
        Kind | None, typer.Option("--kind", help="Tell only those of this kind; all are counted.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    database: Database = None,
) -> None:
    """Look for what does not fit together about sessions; ends with 1 where something grave was found."""
    zone = load(database=database).zone

    async def work() -> Any:
        from wattkeeper.operations.money.discrepancies import audit_sessions, need_order
        from wattkeeper.store.money.discrepancy import Period

        period = Period(_begun(since, zone), _begun(until, zone), site)
        need_order(period.since, period.until)
        async with store_of(database) as store:
            return await audit_sessions(store, VIEWER, period, limit, only)

    found = run(work())
    if as_json:
        print(json.dumps(_told(found), ensure_ascii=False, indent=1))
    else:
        _print(found)
    raise typer.Exit(1 if found.grave else 0)


def _begun(day: datetime | None, zone: tzinfo) -> datetime | None:
    """When a day begins where this installation is."""
    return None if day is None else day.replace(tzinfo=zone)


def _amount(minor: int, currency: str, digits: int) -> str:
    """An amount, nothing where there is none."""
    return Money(Decimal(minor).scaleb(-digits), currency, digits) if minor else ""


def _print(found: Any) -> None:
    """Everything that was found, then how much of each kind."""
    if found.totals:
        table = Table("", "Session", "Where", "When (UTC)", "What", "Energy", "Money", box=None)
        for one in found.found:
            table.add_row(*_cells(one))
        if found.found:
            out.print(table)
        sums = Table("Found", "Times", "Grave", "Energy", "Money", "To list them", box=None)
        for kind, total in found.totals.items():
            money = ", ".join(_amount(minor, *of) for of, minor in total.amounts.items())
            sums.add_row(
                NAMES[kind], str(total.count), str(total.grave), _energy(total.energy_wh), money, f"--kind {kind.value}"
            )
        out.print(sums)
    if found.count > len(found.found):
        more = found.count - len(found.found)
        out.print(f"{more:,} more are counted above and not told one by one: use --limit or --kind.")
    told = f"{found.sessions:,} sessions: {found.count:,} discrepancies, {found.grave:,} of them grave."
    out.print(told if found.count else f"{found.sessions:,} sessions: everything fits together.")


def _cells(one: Discrepancy) -> tuple[str, ...]:
    """A discrepancy as a row of the table."""
    place = one.station if one.evse is None else f"{one.station} · {one.evse}"
    at = f"{one.at.year:04}-{one.at:%m-%d %H:%M}"
    money = _amount(one.amount_minor, one.currency, one.digits)
    cells = (GRAVITY[one.gravity], shown(one.session), place, at, one.words, _energy(one.energy_wh), money)
    return tuple(escape(str(cell)) for cell in cells)


GRAVITY = ("", "?", "!")
"""What marks a note, a doubt, and what is grave."""


def _energy(energy_wh: Decimal) -> str:
    """An energy, nothing where there is none."""
    return kwh(figure(energy_wh)) if energy_wh else ""


def _told(found: Any) -> dict[str, Any]:
    """What was found, for programs: decimals as text, money in minor units."""
    totals = [
        {"kind": kind.value, "count": total.count, "grave": total.grave, "energy_wh": figure(total.energy_wh)}
        | {"amounts": [{"currency": of[0], "digits": of[1], "minor": n} for of, n in total.amounts.items()]}
        for kind, total in found.totals.items()
    ]
    items = [_item(one) for one in found.found]
    return {"sessions": found.sessions, "count": found.count, "grave": found.grave, "totals": totals, "items": items}


def _item(one: Discrepancy) -> dict[str, Any]:
    """One discrepancy, for programs."""
    told: dict[str, Any] = {"kind": one.kind.value, "gravity": one.gravity.name.lower(), "session": shown(one.session)}
    told |= {"other": shown(one.other) if one.other else None, "station": one.station}
    told |= {"at": one.at.isoformat(), "words": str(one.words), "energy_wh": figure(one.energy_wh)}
    return told | {"evse": one.evse, "amount_minor": one.amount_minor, "currency": one.currency}


def _many(count: int, one: str, several: str = "") -> str:
    """A count with its noun: 1 entry, 1,200 entries."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"
