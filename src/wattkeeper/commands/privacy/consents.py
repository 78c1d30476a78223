"""`wattkeeper consents`: what people agree to, the ledger of it, and letters to those who agree to them."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from wattkeeper.charging.privacy.consent import TEXTS, Consented
from wattkeeper.commands.terminal import Database, out, rooms_of, run

app = typer.Typer(help="What people agree to beyond charging.", no_args_is_help=True)
COLUMNS = ("n", "at", "person", "purpose", "agreed", "version", "language", "text_sha256", "door")


@app.callback()
def consents() -> None:
    """What people agree to beyond charging."""


@app.command()
def show(database: Database = None) -> None:
    """Say what is asked for, in which version, and how many agree; nobody is named."""

    async def work() -> list[tuple[Consented, int, int]]:
        from wattkeeper.store.privacy import consent

        async with rooms_of(database) as rooms, rooms.store.read() as connection:
            counted = [(one, TEXTS[one].counts_from) for one in Consented]
            return [(one, *await consent.tallied(connection, one, since)) for one, since in counted]

    table = Table("Purpose", "Version", "Agree", "Ever answered", "What is asked", box=None)
    for purpose, agree, asked in run(work()):
        text = TEXTS[purpose]
        table.add_row(purpose.value, str(text.version), str(agree), str(asked), text.title)
    out.print(table)


@app.command()
def export(
    purpose: Annotated[Consented | None, typer.Option(help="Only this purpose.", show_default=False)] = None,
    database: Database = None,
) -> None:
    """Print the ledger as CSV: who said what to which text, by ids and never by names."""

    async def work() -> list[Any]:
        from wattkeeper.store.privacy import consent

        rows: list[Any] = []
        async with rooms_of(database) as rooms, rooms.store.read() as connection:
            while some := await consent.ledger(connection, purpose, rows[-1].n if rows else 0):
                rows += some
        return rows

    sheet = csv.writer(sys.stdout, lineterminator="\n")
    sheet.writerow(COLUMNS)
    for one in run(work()):
        said = (one.purpose, "yes" if one.is_given else "no", one.version, one.text.language, one.text.hash, one.door)
        sheet.writerow((one.n, one.at.isoformat(), one.person, *said))


@app.command()
def write(
    subject: Annotated[str, typer.Argument(help="The subject of the letter.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file with its text.")],
    database: Database = None,
) -> None:
    """Queue a letter about what is new to everybody who agrees to such letters; asked after again when it goes."""

    async def work() -> int:
        from wattkeeper.operations.privacy.breach.news import News

        async with rooms_of(database) as rooms:
            return await News(rooms.store, rooms.people.mail).write(subject, file.read_text(encoding="utf-8"))

    count = run(work())
    out.print(
        f"{count:,} letters wait for the installation to send them." if count else "Nobody agrees to such letters."
    )
