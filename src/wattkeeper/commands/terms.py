"""`wattkeeper terms`: what a site's energy costs, what its connection bears, and the carbon of its grid."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.statistics.terms import Terms, Window
from wattkeeper.commands.terminal import VIEWER, Database, fail, number_of, out, rooms_of, run, store_of
from wattkeeper.settings import load

app = typer.Typer(
    help="What sites' energy costs, what their connections bear, and the carbon of their grids.", no_args_is_help=True
)
WINDOW = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})=([0-9.,]+)")
Site = Annotated[str, typer.Argument(help='The site, as its stations name it; "" for stations without one.')]


@app.command("set")
def set_terms(
    site: Site,
    peak: Annotated[str, typer.Option(help="For each kW of a month's highest quarter hour, such as 8.25.")] = "",
    energy: Annotated[str, typer.Option(help="For a kWh, such as 0.24.")] = "",
    at: Annotated[list[str] | None, typer.Option(help="Another price by time of day: 22:00-06:00=0.18")] = None,
    limit_kw: Annotated[str, typer.Option(help="What the connection bears, kW.")] = "",
    carbon: Annotated[str, typer.Option(help="g of CO2 for a kWh: one figure, or 24 with commas between.")] = "",
    since: Annotated[str, typer.Option(help="From which day on, such as 2026-01-01; always if absent.")] = "",
    database: Database = None,
) -> None:
    """Enter all terms of a site at once: what is left out is not told any more. Those before stay in its history."""
    if not any((peak, energy, at, limit_kw, carbon)):
        fail("Say what holds: --peak, --energy, --at, --limit-kw or --carbon. What is left out is not told any more.")
    minor = Decimal(10) ** digits_of(load(database=database).pay_currency)
    terms = Terms(
        since=_day(since) if since else None,
        peak_minor_per_kw=number_of(peak) * minor if peak else None,
        energy_minor_per_kwh=number_of(energy) * minor if energy else None,
        windows=tuple(_window(one, minor) for one in at or ()),
        limit_w=number_of(limit_kw) * 1000 if limit_kw else None,
        carbon_g_per_kwh=tuple(number_of(one) for one in carbon.split(",")) if carbon else (),
    )

    async def work() -> Any:
        async with rooms_of(database) as rooms:
            return await rooms.statistics.terms.enter(VIEWER, site, terms)

    entered = run(work())
    out.print("Noted. Findings and carbon follow it from now on. These terms hold, and nothing else:", markup=False)
    out.print(_table([entered]))


@app.command("carbon")
def import_carbon(
    site: Site,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV with a header: at,g_per_kwh")],
    database: Database = None,
) -> None:
    """Take in the carbon of a site's grid by hour, all or none; it goes before the figures of the terms."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8 text.")

    async def work() -> int:
        async with rooms_of(database) as rooms:
            kept: int = await rooms.statistics.terms.enter_carbon(VIEWER, site, text)
            return kept

    out.print(f"{run(work())} hours are kept.")


@app.command("show")
def show(site: Site, database: Database = None) -> None:
    """Show the terms of a site as they were entered, the newest first."""

    async def work() -> list[Any]:
        from wattkeeper.store.stations.placement import is_site
        from wattkeeper.store.statistics.terms import history

        async with store_of(database) as store, store.read() as connection:
            found = await history(connection, VIEWER, site)
            if not found and not await is_site(connection, site):
                fail(f"No station stands at a site called {site or '–'}.")
            return found

    found = run(work())
    if not found:
        out.print('No terms were entered for this site: wattkeeper terms set "SITE" --peak 8.25 --energy 0.24')
        return
    out.print(_table(found))


def _table(found: Sequence[Any]) -> Table:
    """Terms as a table."""
    table = Table("Since", "Peak, per kW", "Energy, per kWh", "Limit, kW", "g CO2/kWh", "Entered (UTC)", "By", box=None)
    for one in found:
        table.add_row(*(escape(text) for text in _row(one)))
    return table


def _row(one: Any) -> tuple[str, ...]:
    """Terms as they are listed."""
    terms: Terms = one.terms
    digits = digits_of(terms.currency)

    def price(minor: Decimal | None) -> str:
        return "–" if minor is None else f"{_plain(minor.scaleb(-digits))} {terms.currency}"

    windows = [f"{_clock(w.since_min)}-{_clock(w.until_min)} {price(w.minor_per_kwh)}" for w in terms.windows]
    return (
        "always" if terms.since is None else terms.since.isoformat(),
        price(terms.peak_minor_per_kw),
        "\n".join([price(terms.energy_minor_per_kwh), *windows]),
        "–" if terms.limit_w is None else _kw(terms.limit_w.scaleb(-3)),
        ", ".join(_plain(one) for one in terms.carbon_g_per_kwh) or "–",
        f"{one.created_at:%Y-%m-%d %H:%M}",
        one.created_by,
    )


def _kw(value: Decimal) -> str:
    """Power as pages have it, or with as many digits as it needs."""
    return f"{value:.1f}" if value == round(value, 1) else _plain(value)


def _plain(value: Decimal) -> str:
    """A number with as many digits as it needs."""
    return f"{value.normalize():f}"


def _clock(minute: int) -> str:
    """A minute of the day as 22:00."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _day(said: str) -> date:
    """A day that was typed."""
    try:
        return date.fromisoformat(said)
    except ValueError:
        fail(f"{said!r} is no day; one is such as 2026-01-01.")


def _window(said: str, minor: Decimal) -> Window:
    """A time of day that was typed, with its price."""
    found = WINDOW.fullmatch(said.replace(" ", ""))
    if found is None:
        fail(f"{said!r} is no time of day with a price; one is such as 22:00-06:00=0.18.")
    first, last = (int(found[one]) * 60 + int(found[one + 1]) for one in (1, 3))
    if int(found[2]) > 59 or int(found[4]) > 59:
        fail(f"{said!r} names a minute that no hour has.")
    return Window(first, last or 1440, number_of(found[5]) * minor)
