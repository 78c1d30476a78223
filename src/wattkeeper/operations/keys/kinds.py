"""Which keys there are, as people name them, and under which subject each is kept."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from wattkeeper.vault.keys import INSTALLATION

HOUSE: Final = "house"
"""The subject of what is secret but nobody's: orders, free text of stations."""
CARDS_PEPPER: Final = "pepper:1"
STATIONS_PEPPER: Final = "pepper:stations"
NAMES_PEPPER: Final = "pepper:names"
CODES_PEPPER: Final = "pepper:codes"
MARKS_PEPPER: Final = "pepper:marks"
PEPPERS: Final = (CARDS_PEPPER, STATIONS_PEPPER, NAMES_PEPPER, CODES_PEPPER, MARKS_PEPPER)


class KeyKind(StrEnum):
    """A key, or all keys of one kind, as `wattkeeper keys` names them."""

    ROOT = "root"
    INSTALLATION = "installation"
    PERSONS = "persons"
    HOUSE = "house"
    CARDS = "cards"
    NAMES = "names"
    STATIONS = "stations"
    CODES = "codes"
    MARKS = "marks"
    LOG = "log"


SUBJECTS: Final = {
    KeyKind.INSTALLATION: INSTALLATION,
    KeyKind.HOUSE: HOUSE,
    KeyKind.CARDS: CARDS_PEPPER,
    KeyKind.NAMES: NAMES_PEPPER,
    KeyKind.STATIONS: STATIONS_PEPPER,
    KeyKind.CODES: CODES_PEPPER,
    KeyKind.MARKS: MARKS_PEPPER,
}
"""Of those that have versions beside each other."""

WHAT: Final = {
    KeyKind.ROOT: "wraps the installation's",
    KeyKind.INSTALLATION: "wraps all keys below",
    KeyKind.PERSONS: "one each; seal what names them",
    KeyKind.HOUSE: "seals orders, words of stations",
    KeyKind.CARDS: "finds cards by number",
    KeyKind.NAMES: "finds accounts by name",
    KeyKind.STATIONS: "knows stations by key",
    KeyKind.CODES: "knows codes that were given out",
    KeyKind.MARKS: "tells signed records apart",
    KeyKind.LOG: "signs the log",
}
