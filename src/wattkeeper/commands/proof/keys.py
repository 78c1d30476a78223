"""`wattkeeper keys`: which keys there are and how old; each is replaced by one command that may be run again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from wattkeeper.commands.terminal import BY, Database, err, fail, out, run
from wattkeeper.settings import Settings, load

app = typer.Typer(help="The keys of the vault: show them, replace them.", invoke_without_command=True)
EVERY = "all"


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[Any, Any]]:
    """The store and the safe of an installation, without anything else that runs."""
    from wattkeeper.operations.safe import open_safe, root_of
    from wattkeeper.store.engines import Store
    from wattkeeper.store.migrate import migrate

    await migrate(settings.database)
    store = Store(settings.database)
    try:
        yield store, await open_safe(store, root_of(settings))
    finally:
        await store.close()


@app.callback()
def keys(context: typer.Context, database: Database = None) -> None:
    """Show every key with its version and age, and which are overdue (WATTKEEPER_KEY_DAYS)."""
    if context.invoked_subcommand is not None:
        return
    settings = load(database=database)

    async def work() -> Any:
        from wattkeeper.operations.keys.telling import ages

        async with opened(settings) as (store, safe), store.read() as connection:
            return safe.ring.root.where, await ages(connection, store.clock(), settings.key_days)

    root, found = run(work())
    table = Table("key", "version", "made", "days", "", "what it is for", box=None, pad_edge=False)
    now = datetime.now(UTC)
    for one in found:
        days = "" if one.since is None else str((now - one.since).days)
        made = "" if one.since is None else f"{one.since:%Y-%m-%d}"
        name = one.kind.value if one.count == 1 else f"{one.kind.value} ({one.count:,})"
        table.add_row(name, str(one.version), made, days, _standing(one), one.what)
    out.print(table)
    out.print(f"The root key is {root}.", markup=False, soft_wrap=True)
    if any(one.is_overdue for one in found):
        out.print("Replace what is overdue by: wattkeeper keys rotate all", markup=False)


def _standing(one: Any) -> str:
    """What is to be said of a key."""
    kept = f"{one.kept} older kept" if one.kept else ""
    words = ("overdue" if one.is_overdue else "", "under way" if one.is_under_way else "", kept)
    return ", ".join(word for word in words if word)


@app.command()
def rotate(
    which: Annotated[
        str,
        typer.Argument(help="root, installation, persons, house, cards, names, stations, codes, marks, log or all."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    end: Annotated[
        bool, typer.Option("--end", help="End what waits: stations that did not sign in, codes given out before.")
    ] = False,
    to: Annotated[str, typer.Option(help="Only of root: have another root wrap it, named as in WATTKEEPER_ROOT.")] = "",
    database: Database = None,
) -> None:
    """Replace a key. It may be stopped at any moment and run again, while the installation runs or not."""
    from wattkeeper.operations.keys.kinds import KeyKind
    from wattkeeper.operations.keys.rotating import ALL

    if which != EVERY and which not in [*KeyKind]:
        fail(f"There is no key {which!r}; there are: {', '.join(KeyKind)} and all.")
    if to and which != KeyKind.ROOT:
        fail("--to says where the root key shall be; it goes with: wattkeeper keys rotate root")
    if end and which == EVERY:
        fail("--end ends what stations and codes wait for; name which: wattkeeper keys rotate codes --end")
    kinds = ALL if which == EVERY else (KeyKind(which),)
    settings = load(database=database)
    try:
        run(_rotate(settings, kinds, dry_run, end, to))
    except KeyboardInterrupt:
        err.print("Stopped. Run it again to go on.")


async def _rotate(settings: Settings, kinds: tuple[Any, ...], dry_run: bool, end: bool, to: str) -> None:
    """One after the other, each told as it is done."""
    from wattkeeper.operations.keys.rotating import Rotation
    from wattkeeper.operations.keys.telling import plan
    from wattkeeper.vault.root import open_root

    async with opened(settings) as (store, safe):
        for kind in kinds:
            if dry_run:
                async with store.read() as connection:
                    _say(kind, await plan(connection, kind, safe.ring.root, store.clock()))
                continue
            rotation = Rotation(store, safe, BY, lambda by: _sign_anew(store, safe, settings, by))
            if to:
                root = open_root(to, settings.root_key, settings.root_token_file, settings.root_ca_file)
                await rotation.move(root)
                out.print(f"{root.where} wraps the installation's key now. Before the next start set:", markup=False)
                out.print(f"  WATTKEEPER_ROOT={to}", markup=False, soft_wrap=True)
                continue
            lines: list[str] = []
            await rotation.rotate(kind, lines.append, end=end)
            _say(kind, lines)
            await asyncio.sleep(0)


async def _sign_anew(store: Any, safe: Any, settings: Settings, by: str) -> str:
    """Begin another key of the log, once the old one has signed all there is."""
    from wattkeeper.bus.memory import MemoryBus
    from wattkeeper.operations.log.keeper import Keeper
    from wattkeeper.operations.log.signing import Signing

    signing = Signing(store, safe, settings)
    keeper = Keeper(store, MemoryBus(), settings, signing)
    await keeper.begin()
    await keeper.finish()
    return str(await signing.begin(by))


def _say(kind: Any, lines: list[str]) -> None:
    """What was or would be done of one key."""
    for place, line in enumerate(lines):
        out.print(f"{kind.value + ':' if not place else '':<14}{line}", markup=False, soft_wrap=True)
