"""`wattkeeper backup` and `wattkeeper restore`: data and keys apart, the root key with neither."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from wattkeeper.commands.proof.keys import opened
from wattkeeper.commands.terminal import BY, Database, fail, out, run
from wattkeeper.settings import load


class Plain(TyperGroup):
    """A command that has others below it and does its own work when given a folder."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """``backup DIR`` is ``backup make DIR``."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=Plain, no_args_is_help=True, help="Back up everything while it runs (backup DIR), and see that it comes back."
)
restoring = typer.Typer(cls=Plain, no_args_is_help=True, help="Put a backup back into an empty database (restore DIR).")
Keys = Annotated[
    Path | None, typer.Option("--keys", help="The folder of the wrapped keys, best on another disk; else DIR/keys.")
]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the backup.")]


@app.command()
def make(folder: Folder, keys: Keys = None, database: Database = None) -> None:
    """Write a backup into a new folder, at one instant, while everything goes on."""
    settings = load(database=database)

    async def work() -> Any:
        from wattkeeper.operations.backup.making import back_up

        async with opened(settings) as (store, _):
            return await back_up(store, settings, folder, keys or folder / "keys", BY)

    manifest = run(work())
    rows = sum(manifest.tables.values())
    out.print(f"Backed up {rows:,} rows of {len(manifest.tables)} tables into {folder}.", markup=False, soft_wrap=True)
    out.print(f"The wrapped keys are in {keys or folder / 'keys'}: keep them apart from the data.", soft_wrap=True)
    out.print(f"In neither is the root key ({settings.root_key if settings.root == 'file' else settings.root}).")
    out.print(
        f"Keep that, and {settings.tombstones}, in a third place. See that it comes back: wattkeeper backup check"
    )


@app.command()
def check(folder: Folder, keys: Keys = None, database: Database = None) -> None:
    """Restore a backup into a database of its own, count it, open what is sealed, and throw it away."""
    settings = load(database=database)

    async def work() -> Any:
        from wattkeeper.charging.deed import DeedKind
        from wattkeeper.operations.backup.restoring import check as test
        from wattkeeper.store import deed

        tested = await test(settings, folder, keys or folder / "keys")
        if not tested.faults:
            async with opened(settings) as (store, _), store.unit() as unit:
                body = {"backup": tested.manifest.mark, "made_at": tested.manifest.made_at, "rows": tested.rows}
                await deed.enter(unit, DeedKind.RESTORE_TESTED, BY, "", body)
        return tested

    tested = run(work())
    for fault in tested.faults[:20]:
        out.print(f"  {fault}", markup=False, soft_wrap=True)
    if tested.faults:
        fail(f"It does not come back whole: {len(tested.faults):,} faults. Make another backup, and check that.")
    out.print(f"It comes back: {tested.rows:,} rows, and all {tested.opened:,} sealed values open.")


@restoring.command("into")
def make_again(folder: Folder, keys: Keys = None, database: Database = None) -> None:
    """Fill an empty database from a backup, and forget again whoever was forgotten since."""
    settings = load(database=database)

    async def work() -> tuple[Any, int]:
        from wattkeeper.operations.backup.restoring import replay, restore

        manifest = await restore(settings, folder, keys or folder / "keys", BY)
        out.print(f"Restored {sum(manifest.tables.values()):,} rows as of {manifest.made_at}.", markup=False)
        async with opened(settings) as (store, safe):
            return manifest, await replay(store, safe, settings, BY)

    _, count = run(work())
    _replayed(count)


@restoring.command()
def replay(
    nobody: Annotated[
        bool, typer.Option("--nobody-was-forgotten", help="Go on without the file: nobody was forgotten since.")
    ] = False,
    database: Database = None,
) -> None:
    """Forget again whoever was forgotten since the backup was made; until then a restored database does not serve."""
    settings = load(database=database)

    async def work() -> int:
        from wattkeeper.operations.backup.restoring import replay as forget

        async with opened(settings) as (store, safe):
            return await forget(store, safe, settings, BY, nobody=nobody)

    _replayed(run(work()))


def _replayed(count: int) -> None:
    """What was done about who was forgotten."""
    out.print(f"{count:,} people who were forgotten since were forgotten again. It may serve now.")
