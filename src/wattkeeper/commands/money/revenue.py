"""`wattkeeper revenue`: what was billed, what is open, and energy billed against energy delivered."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.phrase import Figure, Money
from wattkeeper.commands.terminal import VIEWER, Database, fail, out, run, store_of
from wattkeeper.settings import load
from wattkeeper.store.money.revenue import Facet


def revenue(
    month: Annotated[
        str | None, typer.Option(help="Which month, such as 2026-03; the running one if absent.", show_default=False)
    ] = None,
    by: Annotated[Facet, typer.Option(help="By what it is told apart.")] = Facet.SITE,
    csv: Annotated[Path | None, typer.Option(help="Write it as CSV.", dir_okay=False, show_default=False)] = None,
    parquet: Annotated[
        Path | None, typer.Option(help="Write it as Parquet.", dir_okay=False, show_default=False)
    ] = None,
    database: Database = None,
) -> None:
    """Show what was billed in a month, what is open, and energy billed against energy delivered."""
    if csv and parquet:
        fail("Use --csv or --parquet, one at a time.")
    zone = load(database=database).zone

    async def work() -> Any:
        from wattkeeper.operations.money import revenue as asked

        async with store_of(database) as store:
            period = asked.month(month or asked.running_month(store.clock(), zone))
            report = await asked.report(store, VIEWER, zone, period, (by,))
        _write(report, csv, parquet)
        return report

    report = run(work())
    path = csv or parquet
    if path is None:
        _print(report)
    else:
        out.print(f"{len(report.rows)} rows are written to {path}.", markup=False)


def _write(report: Any, csv: Path | None, parquet: Path | None) -> None:
    """Write what was asked for."""
    from wattkeeper.operations.money.papers.sheet import write_csv, write_parquet

    if csv:
        write_csv(csv, report.by, report.rows)
    if parquet:
        write_parquet(parquet, report.by, report.rows)


def _print(report: Any) -> None:
    """The report for the terminal."""
    out.print(f"Billed from {report.since} until before {report.until}")
    table = Table(report.by[0].value.capitalize(), "Sessions", "Corrections", "Energy", "Net", "Tax", "Gross", box=None)
    for one in report.rows:
        table.add_row(escape(one.of[0]) or "–", *_cells(one))
    for one in report.totals:
        table.add_row(f"All, {one.currency}", *_cells(one))
    out.print(table)
    sums = Table("Energy at", "Sessions", "Delivered", "Billed", "From the grid", "Lost", box=None)
    for site in report.energy or ():
        energies = (site.delivered_wh, site.billed_wh, site.grid_wh, site.lost_wh)
        sums.add_row(escape(site.site) or "–", str(site.sessions), *map(_kwh, energies))
    out.print(sums)
    for site in (one for one in report.energy or () if one.supply is not None):
        span = f"{site.supply.since:%Y-%m-%d %H:%M} to {site.supply.until:%Y-%m-%d %H:%M} UTC"
        how = ", between readings" if site.supply.is_interpolated else ""
        out.print(f"The grid meter of {site.site}: {span}{how}.", markup=False)
    for lost in report.written_off:
        amount = _money(lost.amount_minor, lost.currency, digits_of(lost.currency))
        of = "covered for drivers who pay nothing" if lost.account == "lost:covered" else "given up"
        out.print(f"Written off until now: {amount}, {of}.", markup=False)
    for owed in report.outstanding:
        amounts = [
            _money(minor, owed.currency, digits_of(owed.currency)) for minor in (owed.owed_minor, owed.owing_minor)
        ]
        out.print(f"Open now: {amounts[0]} owed by {owed.debtors}, {amounts[1]} owed back to {owed.creditors}.")


def _cells(one: Any) -> list[str]:
    """What was billed of one kind."""
    money = [_money(minor, one.currency, one.digits) for minor in (one.net_minor, one.vat_minor, one.gross_minor)]
    return [str(one.sessions), str(one.corrections), _kwh(one.energy_wh), *money]


def _money(minor: int, currency: str, digits: int) -> str:
    """An amount with its currency."""
    return Money(Decimal(minor).scaleb(-digits), currency, digits)


def _kwh(energy_wh: Decimal | None) -> str:
    """An energy in kWh; a dash where there is none."""
    return "–" if energy_wh is None else Figure(energy_wh.scaleb(-3), 2, "kWh")
