"""How something stands by a rule: the table of its only moves, and what one more value makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from wattkeeper.charging.alerts.rule import Rule


class State(StrEnum):
    """Where something is."""

    QUIET = "quiet"
    """Nothing was ever raised about it."""
    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    """Somebody has seen it and sees to it."""
    CLEARED = "cleared"


class Event(StrEnum):
    """What happens to it."""

    ROSE = "rose"
    """It was bad for long enough."""
    SEEN = "seen"
    """A person acknowledged it."""
    FELL = "fell"
    """It was well for long enough."""
    ENDED = "ended"
    """The rule was paused, changed or deleted, or what it was about is no longer there."""


MOVES: Mapping[tuple[State, Event], State] = {
    (State.QUIET, Event.ROSE): State.RAISED,
    (State.CLEARED, Event.ROSE): State.RAISED,
    (State.RAISED, Event.SEEN): State.ACKNOWLEDGED,
    (State.RAISED, Event.FELL): State.CLEARED,
    (State.RAISED, Event.ENDED): State.CLEARED,
    (State.ACKNOWLEDGED, Event.FELL): State.CLEARED,
    (State.ACKNOWLEDGED, Event.ENDED): State.CLEARED,
}
"""Every move there is; what is not here does not happen."""
OPEN = frozenset({State.RAISED, State.ACKNOWLEDGED})
"""The states of an episode that is not over."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one thing stands by one rule."""

    state: State = State.QUIET
    beyond_since: datetime | None = None
    """Since when it is bad, while nothing is raised."""
    within_since: datetime | None = None
    """Since when it is well again, while something is raised."""
    raised_at: datetime | None = None
    """When an alert about it was last raised."""

    @property
    def is_open(self) -> bool:
        """Whether an episode is on."""
        return self.state in OPEN


def moved(standing: Standing, event: Event) -> Standing:
    """The standing after an event; itself where the table has no such move."""
    after = MOVES.get((standing.state, event))
    return standing if after is None else replace(standing, state=after, beyond_since=None, within_since=None)


def follow(rule: Rule, standing: Standing, value: Decimal | None, at: datetime) -> tuple[Standing, Event | None]:
    """What a value measured at an instant makes of a standing, and what happened by it, if anything.

    None, a value that could not be measured, raises and clears nothing: the waiting begins anew.
    """
    if value is None:
        return replace(standing, beyond_since=None, within_since=None), None
    if standing.is_open:
        return _towards_clearing(rule, standing, value, at)
    return _towards_raising(rule, standing, value, at)


def _towards_raising(rule: Rule, standing: Standing, value: Decimal, at: datetime) -> tuple[Standing, Event | None]:
    if not rule.is_beyond(value):
        return replace(standing, beyond_since=None), None
    since = standing.beyond_since or at
    rested = standing.raised_at is None or at - standing.raised_at >= rule.apart
    if at - since < rule.raise_after or not rested:
        return replace(standing, beyond_since=since), None
    return replace(moved(standing, Event.ROSE), raised_at=at), Event.ROSE


def _towards_clearing(rule: Rule, standing: Standing, value: Decimal, at: datetime) -> tuple[Standing, Event | None]:
    if not rule.is_within(value):
        return replace(standing, within_since=None), None
    since = standing.within_since or at
    if at - since < rule.clear_after:
        return replace(standing, within_since=since), None
    return moved(standing, Event.FELL), Event.FELL
