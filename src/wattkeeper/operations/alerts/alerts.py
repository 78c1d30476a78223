"""Alerts, wired together: what doors are handed as ``alerts``."""

from __future__ import annotations

from dataclasses import dataclass

from wattkeeper.bus import Bus
from wattkeeper.operations.alerts.episodes import Episodes
from wattkeeper.operations.alerts.hooks import Hooks
from wattkeeper.operations.alerts.rules import Rules
from wattkeeper.operations.alerts.telling import Telling
from wattkeeper.operations.alerts.watch import AlertWatch
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store


@dataclass(frozen=True, slots=True)
class Alerts:
    """Each by its noun."""

    rules: Rules
    hooks: Hooks
    episodes: Episodes
    watch: AlertWatch
    telling: Telling


def alerts_of(store: Store, safe: Safe, bus: Bus, settings: Settings, mail: Mail) -> Alerts:
    """The alerts of one installation."""
    return Alerts(
        rules=Rules(store, bus, settings),
        hooks=Hooks(store, safe, bus, settings),
        episodes=Episodes(store, bus),
        watch=AlertWatch(store, bus, settings.zone),
        telling=Telling(store, safe, bus, settings, mail),
    )
