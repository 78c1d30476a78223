"""`wattkeeper sbom` and `wattkeeper audit packages`: what Wattkeeper is made of, and which of it has known holes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from wattkeeper.commands.terminal import fail, out, run
from wattkeeper.settings import load


def sbom(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file; by default it is printed.")] = None,
) -> None:
    """Write what Wattkeeper is made of, as installed here: CycloneDX 1.6 JSON with versions, licences, hashes."""
    from wattkeeper.operations.security.packages.sbom import written

    told = written(datetime.now(UTC))
    text = json.dumps(told, ensure_ascii=False, indent=1)
    if output is None:
        print(text)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as problem:
        fail(f"{output} could not be written: {problem.strerror}.")
    out.print(f"{len(told['components'])} packages written to {output}.", markup=False)


def packages(
    advisories: Annotated[
        Path | None,
        typer.Option(help="OSV's all.zip, a folder, a JSON file or one with a record a line.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Hold everything installed here against known holes; ends with 1 where there is one. Needs no installation."""

    async def work() -> Any:
        from httpx import HTTPError

        from wattkeeper.operations.security.packages import packages as check

        settings = load(advisories=str(advisories) if advisories else None)
        if not settings.advisories and not settings.advisories_online:
            raise ValueError(f"{check.NONE_GIVEN} Here: --advisories FILE.")
        made = check.materials()
        try:
            return await check.found(settings, made), len(made)
        except HTTPError as problem:
            raise ValueError(f"{check.UNREACHABLE} {type(problem).__name__}") from problem

    holes, looked = run(work())
    if as_json:
        print(json.dumps([_told(one) for one in holes], indent=1))
    elif holes:
        table = Table("Package", "Version", "Known holes", "Mended in", box=None)
        for one in holes:
            cells = (one.package.name, one.package.version, ", ".join(one.ids), one.fixed or "nothing yet")
            table.add_row(*(escape(cell) for cell in cells))
        out.print(table)
    if not as_json:
        out.print(f"{looked} packages, {len(holes)} with known holes.")
    raise typer.Exit(1 if holes else 0)


def _told(one: Any) -> dict[str, Any]:
    """A package with holes, for programs."""
    told = {"ecosystem": one.package.ecosystem, "name": one.package.name, "version": one.package.version}
    return told | {"ids": list(one.ids), "severity": one.severity.value, "fixed": one.fixed or None}
