"""`wattkeeper verify`: what anyone can check, with nothing but a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from wattkeeper.charging.evidence import kwh
from wattkeeper.charging.identifiers import shown
from wattkeeper.commands.privacy.given import given_checkpoints, given_keys
from wattkeeper.commands.terminal import err, out, run

app = typer.Typer(help="Check what somebody hands you, with nothing but the file.", no_args_is_help=True)


@app.callback()
def verify() -> None:
    """Check what somebody hands you, with nothing but the file."""


@app.command()
def receipt(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A receipt's PDF or JSON file.")],
    sha256: Annotated[str, typer.Option(help="The SHA-256 that its paper names, to see that it is this one.")] = "",
    log_key: Annotated[
        list[str] | None,
        typer.Option(
            "--log-key", metavar="FILE|KEY", help="The key of the log, or of a witness, that signed its proof."
        ),
    ] = None,
) -> None:
    """Work a receipt out again, with the published money function; exit 1 where it does not come to the same.

    Where it carries the proof that it is in the log, that is checked too.
    """
    keys = given_keys(log_key or ())

    async def work() -> Any:
        from wattkeeper.operations.money.papers.verifying import verified

        return verified(file, sha256, keys)

    verdict = run(work())
    for line in _told(verdict):
        out.print(line, markup=False, soft_wrap=True)
    if verdict.faults:
        out.print("It does not hold:", style="bold")
        for fault in verdict.faults:
            out.print(_printable(f"  {fault}"), markup=False, soft_wrap=True)
        raise typer.Exit(1)
    out.print("It holds: worked out again from its readings and its tariff, it comes to the same cent.", style="bold")
    for line in verdict.log:
        out.print(_printable(str(line)), markup=False, soft_wrap=True)
    issued = "" if log_key else ", and whether it was issued at all"
    out.print(f"What this cannot say: whether the meter told the truth{issued}.")


Key = Annotated[
    list[str], typer.Option("--key", metavar="FILE|KEY", help="Whose log it is: a key, or a file with keys.")
]
Witnessing = Annotated[
    list[str] | None,
    typer.Option("--witness", metavar="FILE|KEY", help="A witness that must have seen it.", show_default=False),
]
Earlier = Annotated[
    list[Path] | None,
    typer.Option("--checkpoint", metavar="FILE", help="A checkpoint kept elsewhere.", show_default=False),
]


@app.command()
def log(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A copy of the log: wattkeeper log export DIR.")],
    key: Key,
    witness: Witnessing = None,
    earlier: Earlier = None,
) -> None:
    """Check a copy of the log, with nothing but its files and a public key; exit 1 where anything does not hold.

    A checkpoint that was kept elsewhere shows whether the log was cut, forked or put back to an older copy since.
    """
    from wattkeeper.vault.checking import Wanted, check

    wanted = Wanted(given_keys(key), given_keys(witness or ()), given_checkpoints(earlier or ()))
    with Progress(console=err, transient=True) as progress:
        bar = progress.add_task("Hashing entries")
        found = check(folder, wanted, lambda done, of: progress.update(bar, completed=done, total=of))
    for line in found.told:
        out.print(_printable(line), markup=False, soft_wrap=True)
    if found.faults:
        out.print("It does not hold:", style="bold")
        for fault in found.faults:
            out.print(_printable(f"  {fault}"), markup=False, soft_wrap=True)
        raise typer.Exit(1)
    out.print("It holds.", style="bold")
    if any(_lies_in(folder, one) for one in key):
        out.print("The key came with the files: whoever forged them would have put theirs there. Get it another way.")
    if not witness and not earlier:
        out.print(
            "What this cannot say: whether others are shown the same log. Give a --witness or a --checkpoint.",
            soft_wrap=True,
        )


def _lies_in(folder: Path, key: str) -> bool:
    """Whether a key was taken from among the files that it is to vouch for."""
    path = Path(key)
    return len(key) < 1_000 and path.is_file() and path.resolve().is_relative_to(folder.resolve())


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
