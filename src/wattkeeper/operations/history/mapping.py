"""What the columns of another system's file are, as a person writes it in TOML: a file that is read and understood."""

from __future__ import annotations

import tomllib
from datetime import tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.history.oddity import BATTERY_WH, Bounds
from wattkeeper.charging.phrase import Said, phrase

LONGEST = 1_000_000
"""Characters of a mapping at most; one that a person wrote has some hundreds."""
UNITS = {"Wh": Decimal(1), "kWh": Decimal(1000), "MWh": Decimal(1_000_000)}
EXCEL, ISO = "excel", "iso"


class Closed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a mapping: a word that it does not know is a slip of the pen."""


class Columns(Closed, frozen=True):
    """What the columns are called in the file."""

    begin: str
    end: str
    energy: str
    session: str = ""
    """What a session is called there; empty: its place and its beginning name it."""
    station: str = ""
    site: str = ""
    evse: str = ""
    connector: str = ""
    charged: str = ""
    """When energy ceased to flow."""
    card: str = ""
    paid: str = ""
    """What was paid: kept beside the session, never billed."""
    soc_begin: str = ""
    soc_end: str = ""

    def named(self) -> dict[str, str]:
        """The columns that are named, by what they are."""
        told = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: column for name, column in told.items() if column}


class Fixed(Closed, frozen=True):
    """What the file does not say because it is the same for all."""

    station: str = ""
    site: str = ""
    evse: int = 1
    connector: int = 1


class Times(Closed, frozen=True):
    """How times are written."""

    zone: str
    """Such as Europe/Berlin; UTC."""
    format: str = ISO
    """As strptime has it, ``iso`` for ISO 8601, ``excel`` for cells that a sheet shows as dates."""
    years: dict[str, str] = {}
    """Years that were written wrong, and what they are: ``0014`` is ``2014``."""


class Energy(Closed, frozen=True):
    """How energy is written."""

    unit: str
    decimal: str = "."


class Paid(Closed, frozen=True):
    """How money is written."""

    currency: str


class Plausible(Closed, frozen=True):
    """What is taken for the most; more than that is named as odd."""

    battery_kwh: Decimal | None = None
    power_kw: Decimal | None = None


class Mapping(Closed, frozen=True):
    """A whole mapping."""

    columns: Columns
    times: Times
    energy: Energy
    fixed: Fixed = Fixed()
    stations: dict[str, str] = {}
    """What the stations of the file are called here, where that is another name."""
    evse: dict[str, int] = {}
    """Which number a word of the file stands for."""
    connector: dict[str, int] = {}
    paid: Paid | None = None
    plausible: Plausible = Plausible()

    @property
    def zone(self) -> tzinfo:
        """Where the times of the file are local."""
        return ZoneInfo(self.times.zone)

    @property
    def factor(self) -> Decimal:
        """How many Wh a unit of the file is."""
        return UNITS[self.energy.unit]

    @property
    def bounds(self) -> Bounds:
        """What a session of the file can be at most."""
        battery, power = self.plausible.battery_kwh, self.plausible.power_kw
        return Bounds(
            BATTERY_WH if battery is None else battery * 1000,
            None if power is None else power * 1000,
        )


def read_mapping(text: str) -> Mapping:
    """A mapping of its TOML; Refusal (INVALID) where it cannot be understood, with what to do."""
    if len(text) > LONGEST:
        raise _wrong(phrase("The mapping is longer than a million characters: it is no mapping."))
    try:
        found = msgspec.convert(_numbers(tomllib.loads(text, parse_float=Decimal)), Mapping)
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise _wrong(phrase("The mapping is no TOML: {problem}.", problem=str(problem)[:200])) from None
    except msgspec.ValidationError as problem:
        raise _wrong(_slip(str(problem))) from None
    _need_sense(found)
    return found


def _numbers(told: dict[str, Any]) -> dict[str, Any]:
    """The mapping with whole numbers of what is plausible as decimals."""
    plausible = told.get("plausible")
    if isinstance(plausible, dict):
        whole = {name: Decimal(one) for name, one in plausible.items() if type(one) is int}
        return told | {"plausible": plausible | whole}
    return told


def _slip(problem: str) -> Said:
    """What does not fit, where: as the reader says it, the place in words."""
    what, _, where = problem.partition(" - at ")
    place = where.strip("`").removeprefix("$").lstrip(".") or "the mapping"
    return phrase("The mapping is not complete or has a word too many: {what} ({place}).", what=what, place=place)


def _need_sense(found: Mapping) -> None:
    """Raise Refusal where what is said cannot be."""
    columns, times = found.columns, found.times
    if not columns.station and not found.fixed.station:
        raise _wrong(
            phrase("The mapping does not say at which station: name the column, or one station under [fixed].")
        )
    try:
        ZoneInfo(times.zone)
    except (OSError, ValueError, KeyError):
        raise _wrong(
            phrase("There is no time zone {zone}; one is such as Europe/Berlin or UTC.", zone=times.zone)
        ) from None
    if found.energy.unit not in UNITS:
        raise _wrong(phrase("The unit of energy must be {units}.", units=", ".join(UNITS)))
    if found.energy.decimal not in (".", ","):
        raise _wrong(phrase("The decimal sign must be a point or a comma."))
    if any(not _is_year(one) for pair in times.years.items() for one in pair):
        raise _wrong(phrase('A repair of years looks like "0014" = "2014".'))
    if columns.paid and (found.paid is None or len(found.paid.currency) != 3):
        raise _wrong(phrase("What was paid has a currency: say under [paid] which, such as EUR."))
    numbers = (found.fixed.evse, found.fixed.connector, *found.evse.values(), *found.connector.values())
    if not all(1 <= one <= 999 for one in numbers):
        raise _wrong(phrase("EVSEs and connectors are numbered from 1 to 999."))
    plausible = (found.plausible.battery_kwh, found.plausible.power_kw)
    if any(one is not None and not (one.is_finite() and one > 0) for one in plausible):
        raise _wrong(phrase("What is plausible is a number above zero."))


def _is_year(text: str) -> bool:
    return len(text) == 4 and text.isascii() and text.isdigit()


def _wrong(why: Said) -> Refusal:
    return Refusal(Code.INVALID, why)
