"""`wattkeeper looks`: who of the staff looked at whom, for what and why."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from wattkeeper.commands.terminal import VIEWER, Database, out, rooms_of, run

MOST = 1000


def looks(
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only emergencies that wait for a second person to review them.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many, the newest first.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    database: Database = None,
) -> None:
    """List who of the staff looked at whom, for what and why; drivers and staff by their ids, never by name."""

    async def work() -> list[Any]:
        async with rooms_of(database) as rooms:
            return list(await rooms.looks.find(VIEWER, limit, waiting=waiting))

    found = run(work())
    if as_json:
        print(json.dumps([_told(one) for one in found], indent=1, ensure_ascii=False))
        return
    table = Table("When (UTC)", "Who", "As", "Whom", "For what", "Case", "Why", "Saw", box=None)
    for one in found:
        purpose = f"{one.purpose.value}{_reviewed(one)}"
        why, saw = escape(one.reason), ", ".join(part.value for part in one.parts)
        who = (f"{one.opened_at:%Y-%m-%d %H:%M}", one.by, one.role.value, one.person)
        table.add_row(*who, purpose, escape(one.case), why, saw)
    nothing = "No emergency waits." if waiting else "Nobody looked at any driver yet."
    out.print(table if found else nothing)


def _reviewed(one: Any) -> str:
    """What became of an emergency."""
    if not one.is_emergency:
        return ""
    return ", waits" if one.reviewed_at is None else ", right" if one.was_right else ", not right"


def _told(one: Any) -> dict[str, Any]:
    names = ("id", "by", "person", "reason", "case", "is_emergency", "was_right")
    times = {
        name: getattr(one, name) and getattr(one, name).isoformat() for name in ("opened_at", "until", "reviewed_at")
    }
    words = {"role": one.role.value, "purpose": one.purpose.value, "parts": [part.value for part in one.parts]}
    return {name: getattr(one, name) for name in names} | times | words
