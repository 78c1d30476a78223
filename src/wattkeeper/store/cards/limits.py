"""What binds a card or a group, as a JSON column has it: only what is limited is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from typing import Any

import orjson

from wattkeeper.charging.cards.limits import DAYS, NO_LIMITS, Limits, Span


def encode(limits: Limits) -> str | None:
    """Limits as their column has them; None where nothing is limited."""
    told: dict[str, object] = {
        "energy_wh_month": None if limits.energy_wh_month is None else str(limits.energy_wh_month),
        "money_month": None if limits.money_month is None else str(limits.money_month),
        "sites": None if limits.sites is None else sorted(limits.sites),
        "hours": None if limits.hours is None else [_span(span) for span in limits.hours],
        "plugs": None if limits.plugs is None else sorted(limits.plugs),
    }
    kept = {name: value for name, value in told.items() if value is not None}
    return orjson.dumps(kept).decode() if kept else None


def decode(text: str | None) -> Limits:
    """The limits of a column."""
    if not text:
        return NO_LIMITS
    told = orjson.loads(text)
    return Limits(
        energy_wh_month=_decimal(told.get("energy_wh_month")),
        money_month=_decimal(told.get("money_month")),
        sites=_set(told.get("sites")),
        hours=None if told.get("hours") is None else tuple(_read_span(span) for span in told["hours"]),
        plugs=_set(told.get("plugs")),
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _set(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)


def _span(span: Span) -> dict[str, object]:
    days = [day.short for day in sorted(span.days)]
    return {"days": days, "since": f"{span.since:%H:%M}", "until": f"{span.until:%H:%M}"}


def _read_span(told: Mapping[str, Any]) -> Span:
    since, until = (time.fromisoformat(told[end]) for end in ("since", "until"))
    return Span(since, until, frozenset(DAYS[day] for day in told["days"]))
