"""A tariff from a file in OCPI's terms (2.2.1, 2.3.0): what it means, what is left out, or what is wrong where."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.money.tariffs.tariff import Tariff, check
from wattkeeper.charging.phrase import Phrase, Said, phrase
from wattkeeper.operations.money.tariffs.prices import NAME
from wattkeeper.store.money.tariffs.ocpi import of_ocpi
from wattkeeper.web.api.money.terms import NewTariff
from wattkeeper.web.operator.tariffs.reading import NO_CLOCK, NO_CURRENCY, NO_DAY, read
from wattkeeper.web.operator.tariffs.typed import of_tariff

OURS = frozenset(NewTariff.model_fields) - {"valid_from"}
LEFT_OUT = frozenset({"country_code", "party_id", "last_updated", "start_date_time", "id"})
"""What OCPI says of a tariff that nobody misses here."""
LIMITS = {"excl_vat": "before_taxes", "incl_vat": "after_taxes"}
"""What 2.2.1 calls the amounts of a limit."""
MOST_FAULTS = 20
MOST_DEEP = 12
NOT_JSON = phrase("This is no JSON: it cannot be read from line {line}, column {column} on.")
ODD_JSON = phrase("This is no JSON that a tariff can be read from.")
TWICE = phrase("{name} is named twice in one place, so nobody knows which is meant.")
NO_OBJECT = phrase("A tariff is one JSON object, in curly brackets.")
SEVERAL = phrase("There are {count} tariffs in it: import them one by one. Their ids: {ids}.")
NONE = phrase("There is no tariff in it.")
MISSING = phrase("It is missing.")
NOT_KNOWN = phrase("This is not known here, so nobody could be billed by it.")
NO_NUMBER = phrase("This is no number.")
TOO_LITTLE = phrase("It must be {least} or more.")
TOO_MUCH = phrase("It must be below {most}.")
AT_MOST = phrase("It must be {most} or less.")
DIGITS = phrase("It has more digits than anybody can be billed by.")
NONE_OF = phrase("It is none of {known}.")
TOO_FEW, TOO_MANY = phrase("There must be at least one."), phrase("There are too many.")
NOT_SO = phrase("This is not what stands here in OCPI.")
BY_TYPE: Mapping[str, Phrase] = {
    "missing": MISSING,
    "extra_forbidden": NOT_KNOWN,
    **dict.fromkeys(("decimal_parsing", "decimal_type", "int_parsing", "int_type", "finite_number"), NO_NUMBER),
    **dict.fromkeys(("decimal_max_digits", "decimal_max_places", "decimal_whole_digits"), DIGITS),
    "too_short": TOO_FEW,
    "too_long": TOO_MANY,
}
BOUNDS = {"greater_than_equal": (TOO_LITTLE, "least", "ge"), "less_than": (TOO_MUCH, "most", "lt")}
BOUNDS |= {"less_than_equal": (AT_MOST, "most", "le")}


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is wrong with a file: where, as programs say it, and why."""

    where: str
    """Such as ``elements[0].price_components[1].price``; empty: the whole."""
    why: Said


@dataclass(slots=True)
class Taken:
    """What a file comes to."""

    tariff: Tariff | None = None
    """None: something about it is wrong."""
    name: str = ""
    """What it calls itself, where that can be a name here."""
    since: datetime | None = None
    """From when on it says that it holds."""
    until: str = ""
    """Until when, as it says; ours end when the next version begins."""
    no_zone: bool = False
    """Whether it does not say whose clock it means, though it depends on one."""
    left_out: tuple[str, ...] = ()
    """Members that are not kept."""
    faults: list[Wrong] = field(default_factory=list)

    def fault(self, where: str, why: Said) -> None:
        """Something is wrong with it."""
        self.faults.append(Wrong(where, why))


def taken(text: str, zone: tzinfo) -> Taken:
    """A file, read; ``zone`` is the installation's, where the file names none."""
    made = Taken()
    told = _object(text, made)
    if told is None:
        return made
    identifier = told.get("id")
    made.name = identifier if isinstance(identifier, str) and NAME.fullmatch(identifier) else ""
    made.since = _instant(told.get("start_date_time"), made)
    made.until = str(told.get("end_date_time") or "")[:40]
    made.left_out = tuple(sorted(str(name)[:40] for name in set(told) - OURS - LEFT_OUT - {"end_date_time"}))
    _read({name: value for name, value in told.items() if name in OURS}, zone, made)
    return made


def _object(text: str, made: Taken) -> dict[str, Any] | None:
    """The one tariff in a text: alone, in a list, or in an answer as OCPI's servers give it."""
    try:
        told = json.loads(
            text.lstrip("\ufeff"), parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_once
        )
    except json.JSONDecodeError as error:
        made.fault("", NOT_JSON.filled(line=error.lineno, column=error.colno))
        return None
    except Twice as twice:
        made.fault("", TWICE.filled(name=str(twice)))
        return None
    except (ValueError, ArithmeticError, RecursionError):
        made.fault("", ODD_JSON)
        return None
    if isinstance(told, dict) and "elements" not in told and "data" in told:
        told = told["data"]
    some = told if isinstance(told, list) else [told]
    if len(some) > 1:
        ids = ", ".join(str(one.get("id", "?"))[:40] for one in some[:20] if isinstance(one, dict))
        made.fault("", SEVERAL.filled(count=len(some), ids=ids))
        return None
    if not some:
        made.fault("", NONE)
        return None
    if isinstance(some[0], dict):
        return some[0]
    made.fault("", NO_OBJECT)
    return None


class Twice(Exception):  # noqa: N818 - it says what is wrong
    """A member is named twice, so nobody knows which is meant."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose members are each named once, in signs that can be written; raises `Twice`, ValueError."""
    told: dict[str, Any] = {}
    for name, value in pairs:
        for text in (name, value):
            if isinstance(text, str):
                text.encode()
        if name in told:
            raise Twice(name[:40])
        told[name] = value
    return told


def _no_number(_text: str) -> None:
    """NaN and infinity are no JSON."""
    raise ValueError


def _instant(told: object, made: Taken) -> datetime | None:
    """From when on it holds; OCPI's times are UTC where they do not say."""
    if told is None:
        return None
    try:
        at = datetime.fromisoformat(str(told))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        made.fault("start_date_time", NO_DAY)
        return None


def _read(told: dict[str, Any], zone: tzinfo, made: Taken) -> None:
    """The tariff that the members mean."""
    for name in ("min_price", "max_price"):
        if isinstance(told.get(name), dict):
            told[name] = {LIMITS.get(key, key): value for key, value in told[name].items()}
    try:
        shaped = NewTariff.model_validate(told).model_dump(exclude={"valid_from"}, mode="python")
        tariff = of_ocpi(shaped, zone)
    except ValidationError as error:
        for found in error.errors(include_url=False, include_input=False)[:MOST_FAULTS]:
            made.fault(_path(found["loc"]), _why(found))
        return
    except Refusal as refusal:
        made.fault("x_time_zone" if told.get("x_time_zone") else "", refusal.why)
        return
    clocked = any(each.restrictions.is_clocked for each in tariff.elements) or bool(tariff.rates)
    made.no_zone = clocked and not told.get("x_time_zone")
    try:
        made.tariff = None if made.faults else check(tariff)
    except Refusal as refusal:
        made.faults += list(_unfit(tariff)) or [Wrong("", refusal.why)]


def _unfit(tariff: Tariff) -> Iterator[Wrong]:
    """What does not fit together in a tariff, by the same words as in the editor."""
    for name, why in read(of_tariff(tariff)).faults.items():
        row, _, rest = name.partition("-")
        if rest and row[1:].isdecimal():
            yield Wrong(f"{'elements' if row[0] == 'b' else 'x_tax_rates'}[{row[1:]}]", why)
        elif name:
            yield Wrong({"most": "max_price", "least": "min_price"}.get(name.partition("_")[0], name), why)


def _path(parts: tuple[int | str, ...]) -> str:
    """Where in the file, as programs say it."""
    told = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:40]}" for part in parts[:MOST_DEEP])
    return told.removeprefix(".")


def _why(found: Mapping[str, Any]) -> Said:
    """Why a member cannot be taken."""
    kind, given = found["type"], found.get("ctx", {})
    if kind in BOUNDS:
        words, name, bound = BOUNDS[kind]
        return words.filled(**{name: str(given[bound])})
    if kind in ("enum", "literal_error"):
        return NONE_OF.filled(known=str(given.get("expected", "")).replace("'", "").replace(" or ", ", "))
    last = str(found["loc"][-1]) if found["loc"] else ""
    if kind == "string_pattern_mismatch" and last in WRITTEN:
        return WRITTEN[last]
    return BY_TYPE.get(kind, NOT_SO)


WRITTEN: Mapping[str, Phrase] = {
    "currency": NO_CURRENCY,
    **dict.fromkeys(("start_time", "end_time"), NO_CLOCK),
    **dict.fromkeys(("start_date", "end_date", "since", "until"), NO_DAY),
}
"""What is said of members that are not written as they must be."""
