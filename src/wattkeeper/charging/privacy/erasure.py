"""Being forgotten (GDPR Art. 17): what is destroyed, what stays and why, who must be told, what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from wattkeeper.charging.phrase import phrase


class Obstacle(StrEnum):
    """What stands in the way of forgetting somebody."""

    HELD = "held"
    """A legal hold: nobody may delete anything of theirs."""
    CHARGING = "charging"
    """A session of theirs runs."""
    LAST_OWNER = "last_owner"
    """Nobody else could look after the installation."""
    UNBILLED = "unbilled"
    """A session of theirs is still to be billed, or waits for a person."""
    OWES = "owes"
    """They owe money: once they are forgotten, nobody can be asked for it."""
    PAYING = "paying"
    """A payment of theirs is under way."""
    CREDIT = "credit"
    """They paid ahead, and would lose what is left of it."""


ABSOLUTE = frozenset({Obstacle.HELD, Obstacle.CHARGING, Obstacle.LAST_OWNER})
"""What nobody can pass over."""
SERIOUS = ABSOLUTE | {Obstacle.UNBILLED, Obstacle.OWES, Obstacle.PAYING}
"""What a person cannot pass over by themselves; staff may, for claims can be given up (Art. 17(3)(e))."""
IN_WORDS: Mapping[Obstacle, str] = {
    Obstacle.HELD: phrase("A court, an authority or a dispute asks that nothing about this person is deleted yet."),
    Obstacle.CHARGING: phrase("A car is charging, or still plugged in. End that session first."),
    Obstacle.LAST_OWNER: phrase("Nobody else owns this installation. Make somebody else an owner first."),
    Obstacle.UNBILLED: phrase(
        "A session is still to be billed. That takes a few minutes, or a person has to look at it."
    ),
    Obstacle.OWES: phrase("Money is owed. Once a person is forgotten, nobody can be asked for it."),
    Obstacle.PAYING: phrase("A payment is under way. Wait until it is settled."),
    Obstacle.CREDIT: phrase("There is money paid ahead. It is lost, unless it is paid back first."),
}
"""Each in words a person understands."""


class Recipient(StrEnum):
    """Who else must be told (Art. 19)."""

    STATION = "station"
    PROVIDER = "provider"
    """Of payments."""
    PARTNER = "partner"
    """For roaming; there is none yet."""


class What(StrEnum):
    """What a recipient is to forget."""

    LIST = "list"
    """The card in a station's own list."""
    CACHE = "cache"
    """The cards that a station remembers by itself."""
    CUSTOMER = "customer"
    """What a station keeps about the holder of a card (OCPP 2.0.1 N09)."""
    MEANS = "means"
    """A bank card at the payment provider."""


@dataclass(frozen=True, slots=True, order=True)
class Telling:
    """Somebody who must be told, and what they are to forget."""

    kind: Recipient
    name: str
    what: What


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done to forget one person."""

    person: str
    destroyed: Mapping[str, int] = field(default_factory=dict)
    """Rows by table that are deleted with the person's key."""
    sessions: int = 0
    """Sessions that stay: place, time, energy and money, without a person."""
    energy_wh: Decimal = Decimal(0)
    documents: int = 0
    """Bills and invoices that tax law keeps."""
    keeps_until: int | None = None
    """The year at whose end the last of them is destroyed."""
    gross_minor: Mapping[str, int] = field(default_factory=dict)
    """What they come to, by currency, minor units."""
    told: tuple[Telling, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()

    def blocked_for(self, *, staff: bool) -> tuple[Obstacle, ...]:
        """What stands in the way of the person themselves, or of staff who pass over what can be passed over."""
        return tuple(one for one in self.obstacles if one in (ABSOLUTE if staff else SERIOUS))
