"""What Wattkeeper is made of: the Python packages that are installed here, the JavaScript packages of its pages."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import orjson
from packaging.requirements import InvalidRequirement, Requirement

import wattkeeper

PYPI, NPM = "PyPI", "npm"
"""Ecosystems, as OSV spells them."""
OWN = "wattkeeper"
PAGES = Path(wattkeeper.__file__).parent / "web" / "assets" / "package-lock.json"
"""What the pages' script and style are bundled from; every package with its hash."""
LOCK = Path(wattkeeper.__file__).parents[2] / "requirements" / "runtime.txt"
"""The lock of the Python packages; there where Wattkeeper runs from its sources."""
BUNDLERS = ("esbuild",)
"""What makes the bundle and is not in it."""


@dataclass(frozen=True, slots=True)
class Material:
    """A package as it is used here."""

    ecosystem: str
    name: str
    version: str
    licence: str = ""
    about: str = ""
    sha512: str = ""
    """Hexadecimal, where a lock names it."""
    sha256: tuple[str, ...] = ()
    """Of the files that the lock lets in, hexadecimal: one for each kind of machine."""
    needs: tuple[str, ...] = ()
    """The names of the packages that it needs, as they are installed."""
    is_ours: bool = True
    """Whether it runs with Wattkeeper; else it only builds it."""

    @property
    def purl(self) -> str:
        """Its package URL."""
        kind = "pypi" if self.ecosystem == PYPI else "npm"
        return f"pkg:{kind}/{self.name.replace('@', '%40')}@{self.version}"


def normal(name: str) -> str:
    """A Python package's name, the same for every spelling of it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> list[Material]:
    """Every Python package in this environment, by name."""
    found = {normal(one.name): one for one in distributions() if one.name}
    hashes = locked(LOCK)
    return [
        _material(name, one, found, hashes.get((name, one.version), ()))
        for name, one in sorted(found.items())
        if name != OWN
    ]


def locked(lock: Path) -> dict[tuple[str, str], tuple[str, ...]]:
    """The SHA-256 that a lock lets in, by package and version; empty where there is no lock."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    key = ("", "")
    for line in lock.read_text().splitlines() if lock.is_file() else ():
        if named := re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", line):
            key = (normal(named[1]), named[2])
        elif digest := re.search(r"--hash=sha256:([0-9a-f]{64})", line):
            found[key] = (*found.get(key, ()), digest[1])
    return found


def running() -> list[Material]:
    """The Python packages that Wattkeeper needs to run, and what they need; all, where it is no package itself."""
    by_name = {one.name: one for one in installed()}
    own = _own()
    if own is None:
        return list(by_name.values())
    wanted, waiting = set[str](), [name for name in _needs(own) if name in by_name]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += by_name[name].needs
    return [one for name, one in by_name.items() if name in wanted]


def direct() -> tuple[str, ...]:
    """What Wattkeeper itself asks for, as far as it is installed."""
    there = {one.name for one in installed()}
    return tuple(name for name in _needs(_own()) if name in there)


def pages(lock: Path = PAGES) -> list[Material]:
    """The JavaScript packages that the pages are made of, from their lock; those of other machines left out."""
    listed: Mapping[str, Mapping[str, Any]] = orjson.loads(lock.read_bytes())["packages"]
    return [
        Material(
            ecosystem=NPM,
            name=place.rpartition("node_modules/")[2],
            version=one["version"],
            licence=one.get("license", ""),
            sha512=_hex(one.get("integrity", "")),
            needs=tuple(sorted(one.get("dependencies", ()))),
            is_ours=not place.rpartition("node_modules/")[2].startswith(BUNDLERS),
        )
        for place, one in sorted(listed.items())
        if place and not one.get("optional")
    ]


def _own() -> Distribution | None:
    """Wattkeeper itself, as installed."""
    return next((one for one in distributions() if one.name and normal(one.name) == OWN), None)


def _material(name: str, one: Distribution, found: Mapping[str, Distribution], sha256: tuple[str, ...]) -> Material:
    needs = tuple(sorted({need for need in _needs(one) if need in found}))
    return Material(PYPI, name, one.version, _licence(one), _field(one, "Summary"), sha256=sha256, needs=needs)


def _needs(one: Distribution | None) -> Iterator[str]:
    """What a package needs on this machine, by normal name; its extras count where somebody may have asked for them."""
    for line in (one.requires if one is not None else None) or ():
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            continue
        if wanted.marker is None or _holds(wanted):
            yield normal(wanted.name)


def _holds(wanted: Requirement) -> bool:
    """Whether a requirement is for this machine, with no extra."""
    assert wanted.marker is not None
    return wanted.marker.evaluate({"extra": ""})


def _licence(one: Distribution) -> str:
    """A package's licence: the expression, else what its classifiers or its field say in a line."""
    said = _field(one, "License-Expression")
    classed = [
        word.rpartition(" :: ")[2] for word in _all(one.metadata.get_all("Classifier")) if word.startswith("License")
    ]
    field = _field(one, "License").strip()
    short = field if field and "\n" not in field and len(field) < 80 else ""
    return said or short or ", ".join(classed)


def _field(one: Distribution, name: str) -> str:
    """A line of a package's metadata; empty where it has none."""
    return str(one.metadata[name] or "") if name in one.metadata else ""


def _all(words: Iterable[str] | None) -> Iterable[str]:
    return words or ()


def _hex(integrity: str) -> str:
    """A lock's ``sha512-…`` in hexadecimal."""
    kind, _, value = integrity.partition("-")
    return base64.b64decode(value).hex() if kind == "sha512" else ""
