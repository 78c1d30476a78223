"""The shared keys as they are open: which version seals and finds, and which others still open and know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tink import aead

from wattkeeper.operations.keys.kinds import (
    CARDS_PEPPER,
    CODES_PEPPER,
    HOUSE,
    MARKS_PEPPER,
    NAMES_PEPPER,
    PEPPERS,
    STATIONS_PEPPER,
)
from wattkeeper.vault.keys import KeyRefused, KeyRing, mark_of, version_of


@dataclass(frozen=True, slots=True)
class Pepper:
    """A version of a secret that goes into keyed hashes."""

    version: int
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Shared:
    """What is open. Of cards and names the oldest version finds, until a rotation ends it; of others the newest."""

    cards: Pepper
    names: Pepper
    stations: tuple[Pepper, ...]
    """The newest first, as in the next two."""
    codes: tuple[Pepper, ...]
    marks: tuple[Pepper, ...]
    house: aead.Aead = field(repr=False)
    houses: Mapping[bytes, aead.Aead] = field(repr=False)
    """By the mark with which what they sealed begins."""


def open_shared(ring: KeyRing, wrapped: Mapping[str, bytes]) -> Shared:
    """Open the shared keys; raises KeyRefused where one is lost."""
    found: dict[str, list[tuple[int, str]]] = {name: [] for name in (HOUSE, *PEPPERS)}
    for subject in wrapped:
        name, version = version_of(subject)
        if name in found:
            found[name].append((version, subject))
    lost = [name for name, versions in found.items() if not versions]
    if lost:
        raise KeyRefused(f"The database has lost its key {min(lost)}. Restore it from a backup.")

    def peppers(name: str) -> tuple[Pepper, ...]:
        newest_first = sorted(found[name], reverse=True)
        return tuple(Pepper(version, ring.open_secret(subject, wrapped[subject])) for version, subject in newest_first)

    houses = [ring.cipher(subject, wrapped[subject]) for _, subject in sorted(found[HOUSE])]
    return Shared(
        cards=peppers(CARDS_PEPPER)[-1],
        names=peppers(NAMES_PEPPER)[-1],
        stations=peppers(STATIONS_PEPPER),
        codes=peppers(CODES_PEPPER),
        marks=peppers(MARKS_PEPPER),
        house=houses[-1],
        houses={mark_of(one): one for one in houses},
    )
