"""Signed meter records in the Open Charge Metering Format (OCMF, S.A.F.E. e.V.), as any station may send them.

A record is ``OCMF|payload|signature``. The signature is over the bytes of the payload as they came, so these are kept
beside what they say and never written anew; a register keeps its digits as they were written. The text itself is taken
apart by `operations.metering.ocmf`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import Phrase, phrase

MOST_READINGS: Final = 500
LARGEST_EXPONENT: Final = 20
KNOWN_VERSIONS: Final = frozenset({"0", "1"})
"""The major versions of the format whose meaning is known."""
DEFAULT_ALGORITHM: Final = "ECDSA-secp256r1-SHA256"
_INHERITED: Final = ("TM", "TX", "RI", "RU", "EF", "ST")
"""What a reading that leaves it out takes from the one before."""
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?")
_PAGE: Final = re.compile(r"([TF])([0-9]{1,15})")
_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})[,.]([0-9]{1,6})(Z|[+-][0-9]{2}:?[0-9]{2})( ([A-Z]))?"
)


class Clock(StrEnum):
    """How far a record's time is to be trusted (OCMF table 19)."""

    UNKNOWN = "U"
    INFORMATIVE = "I"
    SYNCHRONISED = "S"
    RELATIVE = "R"
    """Counted exactly from an informative beginning."""


class Step(StrEnum):
    """What a reading is to a transaction (OCMF table 7, TX)."""

    BEGIN = "begin"
    END = "end"
    FAULT = "fault"
    """From here on time or energy cannot be used."""
    BETWEEN = "between"
    OUTSIDE = "outside"
    """No transaction is told (fiscal metering)."""


_STEPS: Final[Mapping[str, Step]] = {
    "B": Step.BEGIN,
    **dict.fromkeys("ELRAP", Step.END),
    "X": Step.FAULT,
    **dict.fromkeys("CST", Step.BETWEEN),
}
_WH: Final[Mapping[str, Decimal]] = {"wh": Decimal(1), "kwh": Decimal(1000)}


@dataclass(frozen=True, slots=True)
class Register:
    """One register at one instant."""

    at: datetime
    clock: Clock
    step: Step
    written: str
    """The value as the meter wrote it, digit by digit."""
    value: Decimal
    unit: str
    name: str
    """Which register: an OBIS code, or what the meter wrote for one."""
    state: str
    """The state of the meter: G is good (OCMF table 10); empty where it was not told."""
    errors: str
    """What cannot be used any more: E energy, t time."""

    @property
    def wh(self) -> Decimal | None:
        """The register in Wh; None where it is no energy."""
        factor = _WH.get(self.unit.lower())
        return None if factor is None else self.value * factor

    @property
    def resolution_wh(self) -> Decimal:
        """The least by which the register can change as it is written, Wh."""
        exponent = Decimal(self.written).as_tuple().exponent
        return Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0) * _WH.get(self.unit.lower(), Decimal(1))

    @property
    def is_usable(self) -> bool:
        """Whether the meter says that it works and that its energy may be used."""
        return self.state == "G" and "E" not in self.errors


@dataclass(frozen=True, slots=True)
class Record:
    """One signed record."""

    payload: bytes = field(repr=False)
    """What was signed, byte for byte."""
    algorithm: str
    signature: str
    """As it was written, in `encoding`."""
    encoding: str
    """hex or base64."""
    context: str
    """T: of a transaction; F: of none."""
    page: int
    """The count of records in this context: one more for each."""
    serial: str
    """Of the meter, else of what signs for it."""
    registers: tuple[Register, ...]
    id_type: str = ""
    identification: str = field(default="", repr=False)
    """Who charged, such as a card's number in the clear: never to be stored or logged."""

    @property
    def paged(self) -> str:
        """Its pagination as written: ``T17``."""
        return f"{self.context}{self.page}"


def record_of(payload: bytes, said: Mapping[str, Any], signed: Mapping[str, Any]) -> Record:
    """The record of what a payload and its signature section say, numbers as the texts they were written as.

    Refusal INVALID, and nothing else, where they do not say enough.
    """
    _need_version(said.get("FV"))
    page = _PAGE.fullmatch(_text(said, "PG"))
    if page is None:
        raise refused(phrase("Its number among the records (PG) is missing."))
    return Record(
        payload=payload,
        algorithm=_text(signed, "SA") or DEFAULT_ALGORITHM,
        signature=_text(signed, "SD"),
        encoding=_text(signed, "SE").lower() or "hex",
        context=page[1],
        page=int(page[2]),
        serial=(_text(said, "MS") or _text(said, "GS"))[:64],
        registers=_registers(said.get("RD")),
        id_type=_text(said, "IT")[:20],
        identification=_text(said, "ID")[:64],
    )


def refused(why: Phrase) -> Refusal:
    """That something is no record, and why."""
    return Refusal(Code.INVALID, why)


def _text(members: Mapping[str, Any], name: str) -> str:
    """A member that is a text or a number; empty where it is neither."""
    value = members.get(name)
    return str(value) if isinstance(value, str) else ""


def _need_version(told: object) -> None:
    """Refuse another major version: it may mean anything."""
    if told is not None and (not isinstance(told, str) or told.partition(".")[0] not in KNOWN_VERSIONS):
        raise refused(phrase("Its version of the format is not known."))


def _registers(told: object) -> tuple[Register, ...]:
    """The readings, each with what it takes from the one before."""
    if not isinstance(told, list) or not 0 < len(told) <= MOST_READINGS:
        raise refused(phrase("It has no readings, or too many."))
    before: dict[str, Any] = {}
    found: list[Register] = []
    for one in told:
        if not isinstance(one, dict):
            raise refused(phrase("One of its readings cannot be read."))
        before = {name: one.get(name, before.get(name)) for name in _INHERITED}
        if "RV" in one:
            found.append(_register(one, before))
    return tuple(found)


def _register(one: Mapping[str, Any], whole: Mapping[str, Any]) -> Register:
    """A reading with a value."""
    written = _text(one, "RV").strip()
    if _NUMBER.fullmatch(written) is None or abs(Decimal(written).adjusted()) > LARGEST_EXPONENT:
        raise refused(phrase("One of its registers is no number."))
    at, clock = _moment(_text(whole, "TM"))
    return Register(
        at=at,
        clock=clock,
        step=_STEPS.get(_text(whole, "TX").strip(), Step.OUTSIDE),
        written=written,
        value=Decimal(written),
        unit=_text(whole, "RU").strip()[:10],
        name=_text(whole, "RI").strip()[:40],
        state=_text(whole, "ST").strip()[:4],
        errors=_text(whole, "EF").strip()[:10],
    )


def _moment(text: str) -> tuple[datetime, Clock]:
    """An instant of a record and how far it is to be trusted."""
    told = _TIME.fullmatch(text.strip())
    if told is None:
        raise refused(phrase("One of its instants cannot be read."))
    try:
        local = datetime.fromisoformat(told[1]).replace(microsecond=int(told[2].ljust(6, "0")))
        at = local.replace(tzinfo=_zone(told[3])).astimezone(UTC)
    except (ValueError, OverflowError):
        raise refused(phrase("One of its instants cannot be read.")) from None
    return at, Clock(told[5]) if told[5] in {*Clock} else Clock.UNKNOWN


def _zone(text: str) -> timezone:
    """The zone of an instant: Z, +0200 or +02:00."""
    if text == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
