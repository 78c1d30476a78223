"""What the host of a site gets of what is sold there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from wattkeeper.charging.money.rounding import whole as rounded


class ShareKind(StrEnum):
    """How a share is reckoned."""

    PERCENT = "percent"
    """Of sales without tax."""
    PER_KWH = "per_kwh"
    """Minor units (cents) for each kWh billed."""


@dataclass(frozen=True, slots=True)
class Share:
    """What was agreed with the host of a site, for what is billed from then on."""

    n: int
    site: str
    host: str
    """Who is paid, as statements name them."""
    kind: ShareKind | None
    """None: nothing any more."""
    value: Decimal | None
    created_at: datetime
    created_by: str


def share_minor(share: Share, net_minor: int, energy_wh: Decimal) -> int:
    """What the host gets of a document that adds so much without tax and so much energy: half up, both ways alike."""
    if share.kind is None or share.value is None:
        return 0
    whole = Fraction(net_minor) if share.kind is ShareKind.PERCENT else Fraction(energy_wh) * Fraction(1, 10)
    exact = Fraction(share.value) * whole * Fraction(1, 100)
    return rounded(exact) if exact >= 0 else -rounded(-exact)
