"""A session as another system's records have it, and the facts that it becomes here."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from wattkeeper.charging.facts import ChargingState, MetersRead, SessionEnded, SessionFact, SessionOpened
from wattkeeper.charging.money.exact import HOUR_S, divided, seconds
from wattkeeper.charging.reading import Context, Reading

ZERO = Decimal(0)
OTHERWISE = "Other"
"""The reason of an end of which the records tell none (1.6 Reason)."""


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """One session of long ago; its card is never kept beside it."""

    name: str
    """What it is called in its records; natural within its station."""
    line: int
    """Where it stands in its file."""
    station: str
    site: str = ""
    evse: int = 1
    connector: int = 1
    began_at: datetime
    ended_at: datetime
    charged_at: datetime | None = None
    """When energy ceased to flow; None: not told."""
    energy_wh: Decimal | None = None
    """None: not told."""
    soc_begin: Decimal | None = None
    """State of charge at the beginning, percent."""
    soc_end: Decimal | None = None
    year: str = ""
    """The year as it was written, where that had to be repaired."""

    @property
    def place(self) -> tuple[str, int]:
        """The EVSE at which it was."""
        return self.station, self.evse

    @property
    def power_w(self) -> Decimal | None:
        """Mean power while energy flowed, W; None where it is not known or no time passed."""
        lasting_s = seconds((self.charged_at or self.ended_at) - self.began_at)
        return divided(self.energy_wh * HOUR_S, lasting_s) if self.energy_wh is not None and lasting_s > 0 else None


def facts_of(past: Past) -> tuple[SessionFact, ...]:
    """The facts of a session of long ago; its register begins at nought, for only the difference is known."""
    of = {"ref": past.name, "imported": True, "evse": past.evse, "connector": past.connector}
    start = None if past.energy_wh is None else ZERO
    read = _read(past)
    return (
        SessionOpened(at=past.began_at, register_wh=start, readings=_soc(past.began_at, past.soc_begin), **of),  # type: ignore[arg-type]
        *(MetersRead(at=one.at, readings=(one,), **of) for one in read),  # type: ignore[arg-type]
        SessionEnded(
            at=past.ended_at,
            register_wh=past.energy_wh,
            reason=OTHERWISE,
            readings=_soc(past.ended_at, past.soc_end),
            charging=ChargingState.CHARGING if past.charged_at == past.ended_at else None,
            **of,  # type: ignore[arg-type]
        ),
    )


def _read(past: Past) -> tuple[Reading, ...]:
    """The register when energy ceased to flow, where that was before the end."""
    if past.charged_at is None or past.energy_wh is None or not past.began_at < past.charged_at < past.ended_at:
        return ()
    return (Reading(past.charged_at, Context.OTHER, energy_wh=past.energy_wh),)


def _soc(at: datetime, percent: Decimal | None) -> tuple[Reading, ...]:
    return () if percent is None else (Reading(at, Context.OTHER, soc_percent=percent),)
