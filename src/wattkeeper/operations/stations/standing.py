"""How stations stand: connected or not, last heard of, what they told of themselves and their connectors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from wattkeeper.charging.facts import (
    Alarmed,
    Booted,
    Connected,
    Disconnected,
    OrderSettled,
    Reported,
    SessionEstimated,
    SignaturesChecked,
    StatusChanged,
    is_history,
)
from wattkeeper.store.entry import Entry
from wattkeeper.store.stations import state as states
from wattkeeper.store.stations.state import ConnectorState, StationState
from wattkeeper.store.unit import Unit

REMEMBER_EVERY = timedelta(seconds=30)
"""How exactly ``last_heard_at`` is kept: not every message is worth a row."""
MOST_CONNECTORS = 128
"""How many connectors of one station are kept; no station has so many, a hostile one might say so."""
OURS = (Connected, Disconnected, Alarmed, OrderSettled, SessionEstimated, SignaturesChecked)
"""Facts that are not the station's word."""


def _booted(entry: Entry, state: StationState) -> dict[str, Any]:
    assert isinstance(entry.fact, Booted)
    told = entry.fact
    return {
        "booted_at": entry.received_at,
        "vendor": told.vendor,
        "model": told.model,
        "serial": told.serial,
        "firmware": told.firmware,
    }


def _connected(entry: Entry, state: StationState) -> dict[str, Any]:
    assert isinstance(entry.fact, Connected)
    return {"version": entry.fact.version.value, "online": True, "online_since": entry.received_at}


def _disconnected(entry: Entry, state: StationState) -> dict[str, Any]:
    return {"online": False, "online_since": entry.received_at} if state.online else {}


def _reported(entry: Entry, state: StationState) -> dict[str, Any]:
    assert isinstance(entry.fact, Reported)
    displays = entry.fact.displays_messages
    return {} if displays is None or displays == state.displays_messages else {"displays_messages": displays}


TOLD: dict[type, Callable[[Entry, StationState], dict[str, Any]]] = {
    Booted: _booted,
    Connected: _connected,
    Disconnected: _disconnected,
    Reported: _reported,
}


class Standing:
    """The states of all stations, in memory as in the store; one writer keeps both."""

    def __init__(self, known: dict[str, StationState]) -> None:
        self._known = known
        self._before: dict[str, StationState | None] = {}

    def note(self, unit: Unit, entry: Entry) -> None:
        """Fold an entry into its station's state, where it changes it."""
        state = self._known.get(entry.station) or StationState(entry.station)
        step = TOLD.get(type(entry.fact))
        changes = step(entry, state) if step else {}
        if not isinstance(entry.fact, OURS) and not is_history(entry.fact):
            heard = state.last_heard_at
            if heard is None or changes or entry.received_at - heard >= REMEMBER_EVERY:
                changes["last_heard_at"] = entry.received_at
        if changes:
            self._before.setdefault(entry.station, self._known.get(entry.station))
            self._known[entry.station] = state = replace(state, **changes, last_n=entry.n)
            states.put(unit, state)

    def online(self) -> list[str]:
        """The stations that are connected, as far as was told."""
        return [station for station, state in self._known.items() if state.online]

    def displays(self, station: str) -> bool:
        """Whether a station can show messages."""
        state = self._known.get(station)
        return state is not None and state.displays_messages

    def committed(self) -> None:
        """What was noted is on disk."""
        self._before = {}

    def undo(self) -> None:
        """What was noted did not reach the disk: stand as before."""
        for station, state in self._before.items():
            if state is None:
                self._known.pop(station, None)
            else:
                self._known[station] = state
        self._before = {}


def changed(known: ConnectorState | None, entry: Entry) -> ConnectorState | None:
    """The connector after a StatusChanged; None where older news arrived late or nothing changed."""
    fact = entry.fact
    assert isinstance(fact, StatusChanged)
    told_at = min(fact.at, entry.received_at) if fact.at else entry.received_at
    if known is not None and told_at < known.told_at:
        return None
    same = known is not None and (known.status, known.error) == (fact.status.value, fact.error)
    return ConnectorState(
        entry.station,
        fact.evse,
        fact.connector,
        fact.status.value,
        fact.said,
        fact.error,
        fact.info,
        known.since if same and known else entry.received_at,
        told_at,
    )


def note_connector(unit: Unit, known: dict[tuple[str, int, int], ConnectorState], entry: Entry) -> None:
    """Fold a StatusChanged into its connector's row."""
    fact = entry.fact
    assert isinstance(fact, StatusChanged)
    key = (entry.station, fact.evse, fact.connector)
    now = changed(known.get(key), entry)
    mine = sum(station == entry.station for station, _, _ in known) if key not in known else 0
    if now is not None and mine < MOST_CONNECTORS:
        known[key] = now
        states.put_connector(unit, now)
