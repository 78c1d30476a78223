"""The content of a bill: its whole explanation as canonical JSON, from which anyone can work it out again.

Canonical is: members in alphabetical order, no spaces, UTF-8; numbers that are not counts as text in plain digits;
instants in UTC. The same explanation always gives the same bytes, and so the same SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.money.billing import Reason
from wattkeeper.charging.money.numbered import Explanation, Signed, Tax
from wattkeeper.charging.money.tariffs.assignment import Rank
from wattkeeper.store.money.tariffs.ocpi import of_ocpi, to_ocpi
from wattkeeper.store.money.tariffs.reckoning import (
    at,
    bare,
    bill_of,
    bill_told,
    number,
    number_if,
    text,
    usage_of,
    usage_told,
    whole,
)

FORMAT = "wattkeeper-bill-1"
Json = Mapping[str, Any]


def encode(why: Explanation) -> str:
    """An explanation as canonical JSON."""
    told = {
        "format": FORMAT,
        "session": _session(why),
        "tariff": _tariff(why),
        "usage": usage_told(why.usage),
        "bill": bill_told(why.bill),
        "told": {"gross": why.told_minor, "energy_wh": text(why.told_wh)},
        "extra": [_tax(one) for one in why.extra],
        "before": {"taxes": [_tax(one) for one in why.before], "energy_wh": text(why.before_wh)},
        "adds": [_tax(one) for one in why.adds],
        "reason": why.reason,
    }
    return orjson.dumps(bare(told), option=orjson.OPT_SORT_KEYS).decode()


def decode(content: str) -> Explanation:
    """The explanation of a content; raises ValueError, KeyError or TypeError where it is none."""
    told = orjson.loads(content)
    if told["format"] != FORMAT:
        raise ValueError(f"This is not {FORMAT}.")
    session, terms = told["session"], told["tariff"]
    return Explanation(
        session=session["id"],
        station=session["station"],
        evse=session.get("evse"),
        started_at=at(session["started_at"]),
        ended_at=at(session["ended_at"]),
        grade=Grade(session["grade"]),
        reasons=tuple(map(_reason, session["reasons"])),
        tariff_id=terms["id"],
        version=terms["version"],
        rank=Rank(terms["rank"]),
        subject=terms["subject"],
        tariff=of_ocpi(terms["terms"]),
        usage=usage_of(told["usage"]),
        bill=bill_of(told["bill"]),
        told_minor=whole(told["told"]["gross"]),
        told_wh=number(told["told"]["energy_wh"]),
        extra=_taxes(told["extra"]),
        before=_taxes(told["before"]["taxes"]),
        before_wh=number(told["before"]["energy_wh"]),
        reason=told.get("reason"),
        signed=_signed(session["signed"]) if "signed" in session else None,
    )


def adds_of(content: str) -> tuple[Tax, ...]:
    """What a content adds, by rate of tax, and nothing else of it: for sums of many."""
    return _taxes(orjson.loads(content)["adds"])


# --- written --------------------------------------------------------------------------------------------------


def _session(why: Explanation) -> dict[str, Any]:
    """Which session it was, and how good the evidence."""
    reasons = [{"code": one.code, "at": one.at, "evidence": {**one.evidence}} for one in why.reasons]
    told: dict[str, Any] = {"id": why.session, "station": why.station, "evse": why.evse, "grade": why.grade.value}
    told |= {"started_at": why.started_at, "ended_at": why.ended_at, "reasons": reasons}
    return told if why.signed is None else told | {"signed": _proof(why.signed)}


def _proof(signed: Signed) -> dict[str, Any]:
    """By which meter it is signed."""
    registers = {"begin_wh": text(signed.begin_wh), "end_wh": text(signed.end_wh)}
    return {"meter": signed.serial, "records": [*signed.pages], **registers}


def _tariff(why: Explanation) -> dict[str, Any]:
    """By which tariff, and why."""
    told = {"id": why.tariff_id, "version": why.version, "rank": why.rank.value, "subject": why.subject}
    return told | {"terms": to_ocpi(why.tariff)}


def _tax(one: Tax) -> dict[str, Any]:
    """The tax of a rate."""
    return {"vat": one.vat_percent, "net": one.net_minor, "tax": one.vat_minor}


# --- read -----------------------------------------------------------------------------------------------------


def _reason(told: Json) -> Reason:
    return Reason(told["code"], at(told["at"]) if "at" in told else None, told["evidence"])


def _signed(told: Json) -> Signed:
    return Signed(told["meter"], number(told["begin_wh"]), number(told["end_wh"]), tuple(told["records"]))


def _taxes(told: Iterable[Json]) -> tuple[Tax, ...]:
    return tuple(Tax(number_if(one.get("vat")), whole(one["net"]), whole(one["tax"])) for one in told)
