"""`wattkeeper verify`: what anyone can check, with nothing but a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from wattkeeper.charging.evidence import kwh
from wattkeeper.charging.identifiers import shown
from wattkeeper.commands.terminal import out, run

app = typer.Typer(help="Check what somebody hands you, with nothing but the file.", no_args_is_help=True)


@app.callback()
def verify() -> None:
    """Check what somebody hands you, with nothing but the file."""


@app.command()
def receipt(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A receipt's PDF or JSON file.")],
    sha256: Annotated[str, typer.Option(help="The SHA-256 that its paper names, to see that it is this one.")] = "",
) -> None:
    """Work a receipt out again, with the published money function; exit 1 where it does not come to the same."""

    async def work() -> Any:
        from wattkeeper.operations.money.papers.verifying import verified

        return verified(file, sha256)

    verdict = run(work())
    for line in _told(verdict):
        out.print(line, markup=False, soft_wrap=True)
    if verdict.faults:
        out.print("It does not hold:", style="bold")
        for fault in verdict.faults:
            out.print(_printable(f"  {fault}"), markup=False, soft_wrap=True)
        raise typer.Exit(1)
    out.print("It holds: worked out again from its readings and its tariff, it comes to the same cent.", style="bold")
    out.print("What this cannot say: whether the meter told the truth, and whether it was issued at all.")


def _told(verdict: Any) -> list[str]:
    """What the receipt is about."""
    from wattkeeper.charging.money.coherence import money
    from wattkeeper.charging.money.numbered import gross_of

    why = verdict.why
    when = f"{why.started_at:%Y-%m-%d %H:%M} to {why.ended_at:%Y-%m-%d %H:%M} UTC"
    told = [
        f"Session {shown(why.session)} at {why.station}, {when}: {kwh(f'{why.usage.energy_wh:f}')}.",
        f"By the tariff {why.tariff_id}, version {why.version}: {money(why.bill, why.bill.gross_minor)}.",
    ]
    adds = gross_of(why.adds)
    if adds != why.bill.gross_minor:
        told.append(f"With what was billed before or changed by a person, it adds {money(why.bill, adds)}.")
    return [_printable(line) for line in (*told, f"SHA-256 {verdict.digest}")]


def _printable(line: str) -> str:
    """A line in which nothing of the file moves the cursor, or ends the line."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)
