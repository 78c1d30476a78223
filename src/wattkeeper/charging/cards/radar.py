"""The clone radar's judgement: two places too far apart, too many unknown cards, a session unlike its card.

What is measured and why the limits stand where they stand: docs/decisions/0011-clone-radar.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from statistics import median

from wattkeeper.charging.phrase import Phrase, phrase

FASTEST_KMH = 300
"""Nobody gets faster from one charging car to another, as the crow flies, flights and their airports included, km/h."""
SLACK = timedelta(minutes=15)
"""What two stations' clocks and the pace of their messages may account for."""
NEARBY_KM = 5
"""Stations nearer than this stand together: coordinates are often those of the street or the town, km."""
REMEMBERED = timedelta(hours=24)
"""How long where a card was seen is of interest: in that time one gets anywhere."""
LIVE = timedelta(minutes=5)
"""What is told later than this after it happened was told late (an offline backlog)."""

EARTH_KM = 6371.0

ANSWER_WITHIN = timedelta(minutes=2)
"""How long "is this you?" waits for an answer."""
YES_LASTS = timedelta(minutes=5)
"""How long a yes lets that card start at that station."""
MOST_ASKED = 3
"""How often in `ASKED_SPAN` a holder is asked without a yes: whoever has a copy must not wear them down."""
ASKED_SPAN = timedelta(hours=1)

UNKNOWN_SPAN = timedelta(hours=1)
"""Unknown cards are counted over this long."""
UNKNOWN_FLOOR = 10
"""Fewer different unknown cards than this in an hour are nobody's guessing."""
UNKNOWN_HISTORY = timedelta(days=28)
"""How far back a station's busiest hours are looked at."""

SIGMA = Decimal("1.4826")
"""The median absolute deviation times this is a standard deviation, where errors are normal."""
FAR_OUT = 6
"""How many such deviations from the median are far out."""

HISTORY = 30
"""How many sessions a card needs before any can be unlike it."""
HISTORY_MOST = 200
"""How many of its newest sessions say what a card is like."""
HOURS_OFF = 4.0
"""A start this many hours of the week from every earlier one is at an unusual time."""
ENERGY_SPREAD_WH = Decimal(1000)
"""The least spread that is believed of a card's energy, Wh."""
ODDITIES = 2
"""In how many ways at once a session must be odd: any one alone is an ordinary day."""
WEEK_H = 168.0


class StepUp(StrEnum):
    """When a card's holder is asked "is this you?" before energy flows."""

    NEVER = "never"
    SUSPECT = "suspect"
    """When the radar suspects that the card was copied."""
    NUMBER_ONLY = "number_only"
    """Then, and always with cards that prove nothing but a number, which anyone can copy."""


class Pattern(StrEnum):
    """What the radar recognises."""

    FAR_APART = "far_apart"
    """One card at two places, faster than anyone travels."""
    IN_USE_TWICE = "in_use_twice"
    """A card tapped elsewhere while a session runs on it."""
    MANY_UNKNOWN = "many_unknown"
    """Many unknown cards at one station: somebody guesses numbers."""
    UNLIKE_ITSELF = "unlike_itself"
    """A session far from the card's own history."""
    DENIED = "denied"
    """Its holder was asked and said that it was not them."""


class Settled(StrEnum):
    """What became of a finding."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    """It was a copy, or guessing: a card that is concerned is blocked."""
    DISMISSED = "dismissed"
    """There is an innocent reason."""


class Said(StrEnum):
    """What a card's holder said of a finding."""

    NOTHING = "nothing"
    MINE = "mine"
    NOT_MINE = "not_mine"


class Reply(StrEnum):
    """What became of a question to a card's holder."""

    WAITING = "waiting"
    YES = "yes"
    NO = "no"
    LATE = "late"


SUSPECT = frozenset({Pattern.FAR_APART, Pattern.IN_USE_TWICE})
"""What makes a card suspect until a person has settled it."""


class Oddity(StrEnum):
    """In what a session is unlike its card."""

    HOUR = "hour"
    PLACE = "place"
    ENERGY = "energy"


ODD_WORDS: Mapping[Oddity, Phrase] = {
    Oddity.HOUR: phrase("at an unusual time of the week"),
    Oddity.PLACE: phrase("at a place where it never was"),
    Oddity.ENERGY: phrase("with far more energy than ever"),
}


# --- places ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Point:
    """A place on earth, degrees."""

    latitude: Decimal
    longitude: Decimal


@dataclass(frozen=True, slots=True)
class Location:
    """Where a station stands, as far as is known."""

    station: str
    site: str = ""
    point: Point | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A card was at a location, by the station's time."""

    location: Location
    at: datetime


def distance_km(one: Point, other: Point) -> float:
    """The way between two places along the earth's surface, km (haversine, half a percent exact)."""
    north, east, north2, east2 = (
        math.radians(float(degrees)) for degrees in (one.latitude, one.longitude, other.latitude, other.longitude)
    )
    half = math.sin((north2 - north) / 2) ** 2
    half += math.cos(north) * math.cos(north2) * math.sin((east2 - east) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def apart_km(one: Location, other: Location) -> float | None:
    """How far two locations are apart, km; None where that is not known. One station or one site is never apart."""
    if one.station == other.station or (one.site and one.site == other.site):
        return 0.0
    if one.point is None or other.point is None:
        return None
    return distance_km(one.point, other.point)


def together(one: Location, other: Location) -> bool:
    """Whether two locations are known to be one place."""
    km = apart_km(one, other)
    return km is not None and km < NEARBY_KM


def is_out_of_reach(one: Sighting, other: Sighting) -> bool:
    """Whether nobody can have been at both, whichever came first; never, where a place is not known."""
    km = apart_km(one.location, other.location)
    if km is None or km < NEARBY_KM:
        return False
    hours = (abs(one.at - other.at) + SLACK) / timedelta(hours=1)
    return km > FASTEST_KMH * hours


# --- unknown cards --------------------------------------------------------------------------------------


def unusual_unknown(busiest: Sequence[int]) -> int:
    """From how many different unknown cards in an hour on somebody is guessing at a station.

    ``busiest``: how many there were in the busiest hour of each earlier day. Median and deviation, so that a day of
    guessing, or ten, do not make guessing usual.
    """
    if not busiest:
        return UNKNOWN_FLOOR
    usual = Decimal(median(busiest))
    spread = SIGMA * Decimal(median(abs(Decimal(count) - usual) for count in busiest))
    return max(UNKNOWN_FLOOR, math.ceil(usual + FAR_OUT * max(spread, Decimal(1))))


# --- a card and its history -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Visit:
    """A session as far as a habit shows in it."""

    at: datetime
    location: Location
    energy_wh: Decimal | None


def oddities(visit: Visit, past: Sequence[Visit]) -> tuple[Oddity, ...]:
    """In what a session is unlike its card's earlier ones; empty where it is odd in fewer than two ways."""
    if len(past) < HISTORY:
        return ()
    found = (
        (Oddity.HOUR, min(_hours_between(visit.at, one.at) for one in past) > HOURS_OFF),
        (Oddity.PLACE, not any(together(visit.location, one.location) for one in past)),
        (Oddity.ENERGY, _is_far_out(visit.energy_wh, [one.energy_wh for one in past if one.energy_wh is not None])),
    )
    odd = tuple(oddity for oddity, holds in found if holds)
    return odd if len(odd) >= ODDITIES else ()


def _hours_between(one: datetime, other: datetime) -> float:
    """How many hours of the week lie between two instants, the shorter way round."""
    hours = (one - other) / timedelta(hours=1) % WEEK_H
    return min(hours, WEEK_H - hours)


def _is_far_out(energy_wh: Decimal | None, past: Sequence[Decimal]) -> bool:
    """Whether there is far more energy than ever: above the median by many robust deviations."""
    if energy_wh is None or len(past) < HISTORY:
        return False
    usual = median(past)
    spread = max(SIGMA * median(abs(one - usual) for one in past), ENERGY_SPREAD_WH)
    return energy_wh > usual + FAR_OUT * spread
