"""`wattkeeper audit security`: check what is not as it should be about keys, doors, accounts and what is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from wattkeeper.commands.terminal import BY, VIEWER, Database, out, rooms_of, run

NEEDED = ("high", "medium")
"""What ends the command with 1, unless somebody accepted it."""


def security(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    pdf: Annotated[
        Path | None, typer.Option(help="Print the report for an auditor into this file.", show_default=False)
    ] = None,
    language: Annotated[str, typer.Option(help="Of the report: en or de.")] = "en",
    database: Database = None,
) -> None:
    """Check doors, keys, accounts, programs and what is kept; ends with 1 where something needs a person soon."""

    async def work() -> Any:
        from wattkeeper.operations.security.report import AuditReport

        async with rooms_of(database) as rooms:
            audited = await rooms.security_audit.run(BY)
            report = AuditReport(rooms.store, rooms.settings, rooms.security_audit)
            printed = await report.printed(VIEWER, language) if pdf else None
            if pdf and printed:
                pdf.write_bytes(printed.pdf)
            return audited, rooms.store.clock(), printed

    audited, now, printed = run(work())
    if as_json:
        print(json.dumps(_told(audited, now), ensure_ascii=False, indent=1))
    else:
        _print(audited, now)
    if printed is not None and not as_json:
        out.print(f"The report is in {pdf}. Its SHA-256, which the log has too:", markup=False, soft_wrap=True)
        out.print(printed.sha256, markup=False, soft_wrap=True)
    needed = [row for row in audited.standing if row.severity in NEEDED and not row.is_accepted(now)]
    raise typer.Exit(1 if needed else 0)


def _print(audited: Any, now: datetime) -> None:
    """The answer, every finding with what to do, and what was not checked."""
    from wattkeeper.operations.security.told import CHECKS, SEVERITIES, answer_of, do_of, owner_of, what_of

    out.print(f"{answer_of(audited.standing, now)}.", style="bold")
    table = Table("", "What", "What to do", "Whose", "Since", box=None)
    for row in _sorted(audited.standing):
        when = "accepted" if row.is_accepted(now) else SEVERITIES[row.severity]
        cells = (when, what_of(row), do_of(row), owner_of(row), f"{row.first_at:%Y-%m-%d}")
        table.add_row(*(escape(str(cell)) for cell in cells))
    if audited.standing:
        out.print(table)
    for one in audited.run.checks:
        if one["unchecked"]:
            out.print(f"{CHECKS[one['name']]}: {one['unchecked']}", markup=False, soft_wrap=True)
    looked = sum(one["looked"] for one in audited.run.checks)
    out.print(f"{len(audited.run.checks)} checks looked at {looked:,} things.")


def _sorted(rows: Sequence[Any]) -> list[Any]:
    """The gravest first."""
    return sorted(rows, key=lambda row: ("high", "medium", "low").index(row.severity))


def _told(audited: Any, now: datetime) -> dict[str, Any]:
    """The run, for programs."""
    return {
        "at": audited.run.at.isoformat(),
        "checks": list(audited.run.checks),
        "findings": [_finding(row, now) for row in _sorted(audited.standing)],
    }


def _finding(row: Any, now: datetime) -> dict[str, Any]:
    """One finding, for programs."""
    from wattkeeper.operations.security.told import do_of, owner_of, what_of

    told = {"id": row.id, "code": row.code, "subject": row.subject, "severity": row.severity, "figures": row.figures}
    told |= {"first_at": row.first_at.isoformat(), "last_at": row.last_at.isoformat()}
    until = row.accepted_until.isoformat() if row.is_accepted(now) and row.accepted_until else None
    told |= {"accepted_until": until, "what": str(what_of(row)), "do": str(do_of(row)), "owner": str(owner_of(row))}
    return told
