"""Carbon dioxide of energy: what the grid carried in each hour, times what was taken from it then."""

from __future__ import annotations

from decimal import Decimal

from wattkeeper.charging.statistics.rated import Rated


class Emitted(Rated):
    """What energy came to, in grams of carbon dioxide."""

    __slots__ = ()

    @property
    def grams(self) -> Decimal:
        """Carbon dioxide of the energy of which the grid's is known."""
        return self.amount

    @property
    def g_per_kwh(self) -> Decimal | None:
        """On the mean of the energy of which it is known; None where there is none."""
        return self.per_kwh
