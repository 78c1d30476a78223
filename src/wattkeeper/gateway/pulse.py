"""Who still lives: idle stations are pinged, silent ones dropped. Any byte is a sign of life, for some never pong."""

from __future__ import annotations

from collections.abc import Iterable

from wattkeeper.gateway.socket import Wire
from wattkeeper.settings import Settings


def feel(wires: Iterable[Wire], settings: Settings, now: float) -> None:
    """Ping whom we have not heard for ``ping_s``, drop whom we then have not heard for ``pong_s`` (event loop time)."""
    for wire in wires:
        if wire.is_open:
            _feel_one(wire, settings, now)


def _feel_one(wire: Wire, settings: Settings, now: float) -> None:
    """One station; who waits for our answer is not silent, who does not take our answers is."""
    if wire.stalled_at is not None and now - wire.stalled_at >= settings.pong_s:
        wire.drop("The station did not take our answers.")
    elif not settings.ping_s or wire.waiting or now - wire.heard_at < settings.ping_s:
        return
    elif wire.pinged_at <= wire.heard_at:
        wire.beat()
    elif now - wire.pinged_at >= settings.pong_s:
        wire.drop("The station did not answer a ping.")
