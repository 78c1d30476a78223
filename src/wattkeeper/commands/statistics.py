"""`wattkeeper statistics`: count totals again, write them as Parquet, and ask the files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import Progress
from rich.table import Table

from wattkeeper.commands.terminal import VIEWER, Database, err, fail, out, run, store_of
from wattkeeper.settings import load

app = typer.Typer(help="What sessions come to: count it again, write it as Parquet, ask it.", no_args_is_help=True)
MOST_ROWS = 200
"""How many rows of an answer a terminal shows; a file has all."""
WIDEST = 10_000
"""Characters of a line of an answer that is not cut."""
Folder = Annotated[Path, typer.Argument(file_okay=False, help="The folder of the files.")]


@app.command("rebuild")
def rebuild(database: Database = None) -> None:
    """Drop all totals and count every session again, from what the journal says; nothing must change by it."""
    settings = load(database=database)

    async def work() -> tuple[int, int]:
        from wattkeeper.bus.memory import MemoryBus
        from wattkeeper.operations.statistics.counting import Counting
        from wattkeeper.operations.statistics.reckoning import Reckoning

        async with store_of(database) as store:
            with Progress(console=err, transient=True) as progress:
                bar = progress.add_task("Counting", total=None)
                counting, reckoning = Counting(store, MemoryBus(), settings), Reckoning(store, MemoryBus(), settings)
                sessions = await counting.rebuild(lambda done: progress.update(bar, completed=done))
                bar = progress.add_task("Reckoning", total=None)
                return sessions, await reckoning.rebuild(lambda done: progress.update(bar, completed=done))

    sessions, stations = run(work())
    out.print(f"{sessions:,} sessions counted again.")
    out.print(f"The outages and starts of {stations:,} stations are reckoned again.")


@app.command("export")
def export(folder: Folder, database: Database = None) -> None:
    """Write all totals as Parquet, one file a month; no person, card or session stands in them."""
    zone = load(database=database).zone

    async def work() -> Any:
        from wattkeeper.operations.statistics import files

        async with store_of(database) as store:
            return await files.write(store, VIEWER, zone, folder)

    written = run(work())
    said = [f"{written.rows:,} rows in {written.files:,} files are written under {folder}."]
    if written.waiting:
        said += [f"They are partial: {written.waiting:,} sessions are still being counted. Write them again later."]
    said += [f'Ask them: wattkeeper statistics ask {folder} "SELECT site, sum(energy_wh) FROM hours GROUP BY site"']
    out.print("\n".join(said), markup=False, soft_wrap=True)


@app.command("ask")
def ask(
    folder: Folder,
    sql: Annotated[str, typer.Argument(help="Over the tables quarters, hours, days and stays.")],
    csv: Annotated[Path | None, typer.Option(help="Write the answer as CSV.", dir_okay=False)] = None,
) -> None:
    """Ask the files in SQL; they are read, never changed, and no database is needed."""
    from wattkeeper.operations.statistics import files

    try:
        answer = files.ask(folder, sql)
        if csv is not None:
            csv.write_bytes(files.as_csv(answer))
    except (ValueError, OSError) as problem:
        fail(str(problem))
    if csv is not None:
        out.print(f"{_rows(answer.height)} written to {csv}.", markup=False, soft_wrap=True)
        return
    table = Table(*answer.columns, box=None)
    for row in answer.head(MOST_ROWS).iter_rows():
        table.add_row(*("–" if one is None else escape(str(one)) for one in row))
    out.print(table)
    if answer.height > MOST_ROWS:
        out.print(f"These are the first {MOST_ROWS} of {answer.height:,} rows; --csv FILE writes all.")
    if Measurement.get(out, out.options.update(max_width=WIDEST), table).maximum > out.width:
        out.print("Not everything fits into these columns: name fewer, or --csv FILE writes them whole.")


def _rows(count: int) -> str:
    """How many rows are."""
    return "1 row is" if count == 1 else f"{count:,} rows are"
