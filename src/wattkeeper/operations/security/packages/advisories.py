"""Known holes in packages: advisories in the form of OSV, from a file or from OSV itself, held against what is here.

A file may be what OSV hands out (``all.zip`` of an ecosystem), one record, a list of them, or a line for each.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
from packaging.version import InvalidVersion, Version

from wattkeeper.operations.security.finding import Severity
from wattkeeper.operations.security.packages.materials import PYPI, Material, normal

AT_ONCE = 500
MOST_RECORDS = 500
"""How many advisories are asked for one by one; more than that is answered all the same, without their details."""
GRAVITY: Mapping[str, Severity] = {
    "CRITICAL": Severity.HIGH,
    "HIGH": Severity.HIGH,
    "MODERATE": Severity.MEDIUM,
    "MEDIUM": Severity.MEDIUM,
    "LOW": Severity.LOW,
}
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hole:
    """A package with its known holes."""

    package: Material
    ids: tuple[str, ...]
    severity: Severity
    """Of the gravest; medium where nobody says."""
    fixed: str
    """The least version that has none of them; empty where there is none."""


def records_of(path: Path) -> Iterator[Record]:
    """The advisories of a file or a folder; raises OSError, and ValueError where it holds none."""
    count = 0
    for count, one in enumerate(_read(path), 1):  # noqa: B007 - how many there were is asked below
        yield one
    if not count:
        raise ValueError(f"{path.name} holds no advisories at all.")


def _read(path: Path) -> Iterator[Record]:
    """Every record of a file, an archive or a folder."""
    if path.is_dir():
        for one in sorted(path.rglob("*.json")):
            yield from _parsed(one.read_bytes(), one.name)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".json"):
                    yield from _parsed(archive.read(name), name)
    else:
        yield from _parsed(path.read_bytes(), path.name)


def _parsed(text: bytes, name: str) -> Iterator[Record]:
    """The records in a text: one, a list, ``{"vulns": [...]}``, or one a line."""
    try:
        try:
            told: Any = orjson.loads(text)
        except orjson.JSONDecodeError:
            told = [orjson.loads(line) for line in text.splitlines() if line.strip()]
    except orjson.JSONDecodeError:
        raise ValueError(f"{name} holds no advisories: it is neither JSON nor JSON by the line.") from None
    some = told.get("vulns", [told]) if isinstance(told, dict) else told
    if not isinstance(some, list) or not all(isinstance(one, dict) and one.get("id") for one in some):
        raise ValueError(f"{name} holds no advisories in the form of OSV (https://ossf.github.io/osv-schema/).")
    yield from some


def dated(path: Path) -> datetime:
    """As of when a file's advisories are: when it was last written."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def holes(packages: Sequence[Material], records: Iterable[Record]) -> list[Hole]:
    """The packages that have holes."""
    by_name = {(one.ecosystem, one.name): one for one in packages}
    found: dict[Material, list[tuple[Record, str]]] = {}
    for record in records:
        if record.get("withdrawn"):
            continue
        for affected in record.get("affected") or ():
            package = by_name.get(_named(affected.get("package") or {}))
            fixed = None if package is None else _fixed(package, affected)
            if package is not None and fixed is not None:
                found.setdefault(package, []).append((record, fixed))
    return [_hole(package, hits) for package, hits in found.items()]


def _named(package: Mapping[str, Any]) -> tuple[str, str]:
    """Ecosystem and normal name of an advisory's package."""
    ecosystem, name = str(package.get("ecosystem", "")).partition(":")[0], str(package.get("name", ""))
    return ecosystem, normal(name) if ecosystem == PYPI else name


def _hole(package: Material, hits: Sequence[tuple[Record, str]]) -> Hole:
    """A package with all its holes as one."""
    ids = tuple(sorted({str(record["id"]) for record, _ in hits}))
    severity = min((_gravity(record) for record, _ in hits), key=lambda one: one.rank)
    fixes = [fixed for _, fixed in hits]
    return Hole(package, ids, severity, max(fixes, key=_version) if all(fixes) else "")


def _gravity(record: Record) -> Severity:
    """How grave a hole is, as far as somebody says."""
    if str(record["id"]).startswith("MAL-"):
        return Severity.HIGH
    said = str((record.get("database_specific") or {}).get("severity", "")).upper()
    return GRAVITY.get(said, Severity.MEDIUM)


def _fixed(package: Material, affected: Mapping[str, Any]) -> str | None:
    """None where a package is not affected; else the least version that is mended, empty where there is none.

    What cannot be compared counts as affected: a person looks at it.
    """
    listed = package.version in (affected.get("versions") or ())
    fixes = [_mended(package.version, one) for one in affected.get("ranges") or () if one.get("type") != "GIT"]
    hit = [fixed for fixed in fixes if fixed is not None]
    if not listed and not hit:
        return None
    return max(hit, key=_version, default="")


def _mended(version: str, span: Mapping[str, Any]) -> str | None:
    """Within one range: None where the version is not in it, else what mends it (empty: nothing)."""
    at = _version(version)
    events = [(kind, str(value)) for event in span.get("events") or () for kind, value in event.items()]
    inside, mends = False, ""
    for kind, value in sorted(events, key=lambda one: (_version(one[1]), one[0] == "introduced")):
        if kind == "introduced" and (value == "0" or _version(value) <= at):
            inside = True
        elif (kind == "fixed" and _version(value) <= at) or (kind == "last_affected" and _version(value) < at):
            inside = False
        elif kind == "fixed" and inside and not mends:
            mends = value
    return mends if inside else None


def _version(text: str) -> Version:
    """A version that can be compared; what cannot be read comes before all others."""
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")


# --- OSV itself -----------------------------------------------------------------------------------------


async def asked(address: str, packages: Sequence[Material]) -> list[Record]:
    """What OSV knows of these packages: their names and versions are all it is told. Raises httpx.HTTPError."""
    async with httpx.AsyncClient(base_url=address, timeout=30, trust_env=False) as client:
        ids = set[str]()
        for start in range(0, len(packages), AT_ONCE):
            queries = [_query(one) for one in packages[start : start + AT_ONCE]]
            answer = await client.post("/v1/querybatch", json={"queries": queries})
            answer.raise_for_status()
            told = answer.json().get("results") or ()
            ids |= {str(hit["id"]) for one in told for hit in one.get("vulns") or ()}
        return [await _record(client, one) for one in sorted(ids)[:MOST_RECORDS]]


def _query(one: Material) -> dict[str, Any]:
    return {"package": {"name": one.name, "ecosystem": one.ecosystem}, "version": one.version}


async def _record(client: httpx.AsyncClient, identifier: str) -> Record:
    """One advisory in full."""
    answer = await client.get(f"/v1/vulns/{identifier}")
    answer.raise_for_status()
    told: Record = json.loads(answer.content)
    return told
