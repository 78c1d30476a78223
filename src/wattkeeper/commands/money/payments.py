"""`wattkeeper payments`: what came in and went out, who pays how, and whether the provider agrees with our books."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.phrase import Money
from wattkeeper.commands.terminal import VIEWER, Database, fail, number_of, out, rooms_of, run, store_of
from wattkeeper.settings import load

app = typer.Typer(help="What came in and went out, and who pays how.", no_args_is_help=True)
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")]
Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 12.50.")]
Person = Annotated[str, typer.Argument(metavar="PERSON", help="By the id.")]
Site = Annotated[str, typer.Argument(metavar="SITE")]
Currency = Annotated[str | None, typer.Option(help="Such as EUR; as the settings say if absent.", show_default=False)]
PROPOSED = "That is more than one person may move: it waits for another, who is signed in, to agree."


def money(minor: int | None, currency: str) -> str:
    """An amount of minor units as people write it; a dash where there is none."""
    digits = digits_of(currency)
    return "–" if minor is None else Money(Decimal(minor).scaleb(-digits), currency, digits)


def minor_of(said: str, currency: str) -> int:
    """An amount that was typed, in minor units."""
    minor = number_of(said).scaleb(digits_of(currency))
    if minor != minor.to_integral_value():
        fail("That is a fraction of the smallest coin there is.")
    return int(minor)


def _do(database: str | None, deed: Callable[[Any], Awaitable[Any]]) -> Any:
    """Do something in the installation's rooms."""

    async def work() -> Any:
        async with rooms_of(database) as rooms:
            return await deed(rooms)

    return run(work())


@app.command("list")
def list_payments(limit: Limit = 20, database: Database = None) -> None:
    """List payments, newest first."""

    async def work() -> list[Any]:
        from wattkeeper.store.money.payments.payment import find

        async with store_of(database) as store, store.read() as connection:
            return await find(connection, VIEWER, limit)

    found = run(work())
    if not found:
        out.print("Nothing was paid yet.")
        return
    table = Table("Payment", "For", "State", "Asked", "Taken", "Given back", "At (UTC)", "Reference", box=None)
    for row in found:
        amounts = [money(one, row.currency) for one in (row.asked_minor, row.captured_minor, row.refunded_minor)]
        words = (row.id, row.kind.value.replace("_", " "), row.state.value + (f" ({row.fault})" if row.fault else ""))
        table.add_row(*words, *amounts, f"{row.changed_at:%Y-%m-%d %H:%M}", escape(row.theirs or ""))
    out.print(table)


@app.command()
def enter(
    amount: Amount,
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="The bank's; entered once.")],
    invoice: Annotated[str | None, typer.Option(help="The monthly invoice that it pays.", show_default=False)] = None,
    person: Annotated[str, typer.Option(help="Or who paid, by the id.", show_default=False)] = "",
    prepaid: Annotated[bool, typer.Option("--prepaid", help="It tops up their balance.")] = False,
    currency: Currency = None,
    database: Database = None,
) -> None:
    """Enter money that came to the bank."""
    which = currency or load().pay_currency
    paid = (minor_of(amount, which), which)
    more = {"number": invoice, "is_ahead": prepaid and invoice is None}
    row = _do(database, lambda rooms: rooms.payments.wallets.enter(VIEWER, person, paid, reference, **more))
    if row.state.is_over:
        out.print(f"Entered: {money(row.captured_minor, row.currency)}, payment {row.id}.", markup=False)
    else:
        out.print("That is much, so it waits for a second person, who agrees on the page of payments.")


@app.command()
def invoices(limit: Limit = 50, database: Database = None) -> None:
    """List monthly invoices, newest first, and how much of each is paid."""

    async def work() -> tuple[list[Any], dict[str, int]]:
        from wattkeeper.store.money.payments import monthly, payment

        async with store_of(database) as store, store.read() as connection:
            rows = await monthly.find(connection, VIEWER, limit)
            return rows, await payment.paid_of(connection, [row.number for row in rows])

    found, paid = run(work())
    if not found:
        out.print("No monthly invoice yet. They are issued when a month is over, for whoever pays so.")
        return
    table = Table("Number", "Month", "Person", "To pay", "Paid", "Due", box=None)
    for row in found:
        amounts = [money(one, row.currency) for one in (row.gross_minor, paid.get(row.number, 0))]
        table.add_row(row.number, row.month, escape(row.person), *amounts, row.due_on)
    out.print(table)


@app.command()
def differences(limit: Limit = 50, database: Database = None) -> None:
    """List where the provider and we do not agree; each waits for a person."""

    async def work() -> list[Any]:
        from wattkeeper.store.money.payments.told import differences as find

        async with store_of(database) as store, store.read() as connection:
            return await find(connection, VIEWER, limit)

    found = run(work())
    if not found:
        out.print("The provider and we agree, as far as we were told.")
    for row in found:
        ours = money(row.ours_minor, row.ours_currency or row.theirs_currency or "EUR")
        theirs = money(row.theirs_minor, row.theirs_currency or row.ours_currency or "EUR")
        told = f"{row.id}  {row.kind.value}  {row.theirs}: ours {ours}, theirs {theirs}"
        out.print(f"{told}, since {row.created_at:%Y-%m-%d %H:%M} UTC", markup=False, soft_wrap=True)


@app.command()
def settle(
    difference: Annotated[str, typer.Argument(metavar="DIFFERENCE")],
    reason: Annotated[str, typer.Option("--reason", help="How it was settled.")],
    database: Database = None,
) -> None:
    """Settle a difference, and say how."""
    _do(database, lambda rooms: rooms.payments.wallets.settle_difference(VIEWER, difference, reason))
    out.print("Settled.")


@app.command()
def reconcile(
    month: Annotated[str | None, typer.Option(help="Such as 2026-03; the running one if absent.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write it as CSV.", dir_okay=False, show_default=False)] = None,
    database: Database = None,
) -> None:
    """Compare what the provider says moved in a month with our payments."""
    from wattkeeper.operations.money import revenue
    from wattkeeper.operations.money.payments import reconciling

    async def deed(rooms: Any) -> Any:
        zone = rooms.settings.zone
        period = revenue.month(month or revenue.running_month(rooms.store.clock(), zone))
        return await reconciling.reconcile(rooms.store, rooms.settings, rooms.payments.provider, VIEWER, *period)

    found = _do(database, deed)
    if csv is not None:
        csv.write_bytes(reconciling.as_csv(found).encode())
        out.print(f"{len(found.rows)} movements are written to {csv}.", markup=False)
    else:
        _print(found)
    if found.wrong:
        fail(f"{len(found.wrong)} of {len(found.rows)} movements do not agree.")
    out.print(f"{len(found.rows)} movements, and they all agree.")


def _print(found: Any) -> None:
    """A reconciliation for the terminal: what does not agree, and the sums."""
    table = Table("At (UTC)", "What", "How", "Theirs", "Ours", "Gross", "Fee", "Net", box=None)
    for row in found.wrong:
        words = (f"{row.at:%Y-%m-%d %H:%M}", row.kind, row.matching.value.replace("_", " "), escape(row.theirs))
        amounts = (row.ours_minor, row.gross_minor, row.fee_minor, row.net_minor)
        table.add_row(*words, *(money(one, row.currency) for one in amounts))
    for one in found.totals:
        amounts = (one.ours_minor, one.gross_minor, one.fee_minor, one.net_minor)
        table.add_row("", f"All, {one.currency}", "", "", *(money(each, one.currency) for each in amounts))
    out.print(table)


@app.command()
def way(
    whose: Annotated[str, typer.Argument(metavar="driver|group")],
    subject: Annotated[str, typer.Argument(metavar="WHICH", help="The person, by the id, or the group.")],
    by: Annotated[str, typer.Argument(metavar="WAY", help="free, invoice, prepaid, card; or none: as the others.")],
    database: Database = None,
) -> None:
    """Let a driver or a group pay this way from now on."""
    from wattkeeper.charging.money.payments.paying import Whose
    from wattkeeper.operations.money.payments.purses import way_named

    if whose not in ("driver", "group"):
        fail("For whom? Say driver or group.")

    async def deed(rooms: Any) -> Any:
        chosen = None if by == "none" else way_named(by)
        return await rooms.payments.wallets.choose_for(VIEWER, Whose(whose), subject, chosen)

    _do(database, deed)
    out.print("From now on.")


@app.command("write-off")
def write_off(
    person: Person,
    amount: Amount,
    reason: Annotated[str, typer.Option("--reason", help="Why; whoever checks the books reads it.")],
    currency: Currency = None,
    database: Database = None,
) -> None:
    """Give up so much of what a person owes."""
    which = currency or load().pay_currency
    minor = minor_of(amount, which)
    row = _do(database, lambda rooms: rooms.payments.deeds.write_off(VIEWER, person, minor, which, reason))
    out.print(PROPOSED if row.state == "open" else "Given up.")


@app.command()
def share(
    site: Site,
    host: Annotated[str, typer.Argument(metavar="HOST", help="Who is paid, as statements name them.")],
    percent: Annotated[str | None, typer.Option(help="Of sales without tax.", show_default=False)] = None,
    per_kwh: Annotated[str | None, typer.Option(help="Or cents for a kWh.", show_default=False)] = None,
    database: Database = None,
) -> None:
    """Let the host of a site get this of what is billed there from now on; nothing, where nothing is said."""
    from wattkeeper.charging.money.payments.share import ShareKind

    said = percent or per_kwh
    kind = ShareKind.PERCENT if percent else ShareKind.PER_KWH if per_kwh else None
    value = None if said is None else number_of(said)
    _do(database, lambda rooms: rooms.payments.deeds.agree_share(VIEWER, site, host, kind, value))
    out.print("From what is billed now on.")


@app.command()
def statement(site: Site, currency: Currency = None, database: Database = None) -> None:
    """Show what accrued to the host of a site and was not paid yet."""
    which = currency or load().pay_currency
    told = _do(database, lambda rooms: rooms.payments.deeds.statement(VIEWER, site, which))
    table = Table("Document", "At (UTC)", "Without tax", "Share", box=None)
    for one in told.items:
        amounts = (money(one.net_minor, which), money(one.share_minor, which))
        table.add_row(one.number, f"{one.at:%Y-%m-%d %H:%M}", *amounts)
    out.print(table)
    out.print(f"To pay: {money(told.total_minor, which)}.", markup=False, style="bold")


@app.command()
def payout(
    site: Site,
    amount: Amount,
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="The bank's.")],
    currency: Currency = None,
    database: Database = None,
) -> None:
    """Enter that the host of a site was paid what the statement says."""
    which = currency or load().pay_currency
    minor = minor_of(amount, which)
    row = _do(database, lambda rooms: rooms.payments.deeds.pay_out(VIEWER, site, which, reference, minor))
    out.print(PROPOSED if row.state == "open" else "Entered.")
