"""Where the cards of one unit were seen before, loaded once for all of them, and what the unit itself saw."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from wattkeeper.charging.cards.radar import LIVE, REMEMBERED, SUSPECT, Location, Sighting
from wattkeeper.store.cards import finding
from wattkeeper.store.cards import sighting as sightings
from wattkeeper.store.cards.sighting import Seen
from wattkeeper.store.unit import Unit


class Sightings:
    """The radar's working set: one query for a whole batch, and none where no enrolled card was presented."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._seen: dict[str, dict[str, datetime]] = {}
        self._locations: dict[str, Location] = {}
        self._suspects: dict[str, bool] = {}
        self._taps: set[tuple[str, str]] = set()
        self._taps_known: set[str] = set()
        """Cards whose taps of before the unit were looked up."""

    async def load(self, tokens: Collection[str]) -> None:
        """Look up those of these cards that were not yet."""
        fresh = [token for token in tokens if token not in self._seen]
        if not fresh:
            return
        found = await sightings.since(self._unit, fresh, self._unit.now - REMEMBERED)
        for token in fresh:
            self._seen[token] = {seen.station: seen.at for seen in found.get(token, ())}

    def of(self, token: str) -> list[Seen]:
        """Where a card that was loaded was last accepted."""
        return [Seen(station, at) for station, at in self._seen[token].items()]

    def note(self, token: str, station: str, at: datetime) -> None:
        """A card was accepted at a station; what is older than what is known says nothing new."""
        known = self._seen[token].get(station)
        if known is None or known < at:
            self._seen[token][station] = at
            sightings.keep(self._unit, token, station, at)

    def tap(self, token: str, station: str) -> None:
        """A token, enrolled or not, was held to a station's reader just now."""
        self._taps.add((token, station))

    async def was_tapped(self, token: str, station: str, beside: Collection[str]) -> bool:
        """Whether a card was held to a station's reader lately, accepted or not: that is never told late.

        Looked up for all the unit's cards at once.
        """
        if (token, station) not in self._taps and token not in self._taps_known:
            fresh = {token, *beside} - self._taps_known
            self._taps |= await sightings.tapped(self._unit, fresh, self._unit.now - LIVE)
            self._taps_known |= fresh
        return (token, station) in self._taps

    async def elsewhere(self, token: str, here: Location) -> list[Sighting]:
        """Where a card was seen beside here."""
        others = [seen for seen in self.of(token) if seen.station != here.station]
        await self._locate([seen.station for seen in others])
        return [Sighting(self._locations[seen.station], seen.at) for seen in others]

    async def location(self, station: str) -> Location:
        """Where a station stands."""
        await self._locate([station])
        return self._locations[station]

    async def _locate(self, stations: Collection[str]) -> None:
        lacking = [station for station in stations if station not in self._locations]
        if lacking:
            found = await sightings.locations(self._unit, lacking)
            self._locations |= {station: found.get(station, Location(station)) for station in lacking}

    async def is_suspect(self, token: str, beside: Collection[str]) -> bool:
        """Whether a finding about a card is open; looked up for all the unit's cards at once."""
        if token not in self._suspects:
            found = await finding.suspects(self._unit, [token, *beside], SUSPECT)
            self._suspects |= {one: one in found for one in (token, *beside)}
        return self._suspects[token]

    def suspect(self, token: str) -> None:
        """From now on a card is suspect."""
        self._suspects[token] = True
