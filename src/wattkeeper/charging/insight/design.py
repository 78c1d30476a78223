"""How much noise a question gets, and from what on a cell is shown: worked out from the question alone.

A release is made in two steps. The first look counts the energy or sessions of each site, and what the bounds cut
off, for a fifth of its epsilon; where that shows that no cell can be shown, nothing more is spent. The second counts
the cells for the rest. One driver changes the sites by at most `most`, and what was cut off by at most as much again:
the sensitivity of the look is twice `most`. Both together spend no more than the question's epsilon (sequential
composition).

**From what on a cell is shown.** To show a cell when exactly twenty drivers stand behind it would tell whether the
twentieth is there. So the rule looks at nothing but the noisy number. As a driver counts for at most `most_in_a_cell`
in one, fewer than twenty come to less than twenty times that, and discrete Laplace noise of scale s exceeds
s · ln(1/δ) with probability below δ. A number above both together has twenty drivers behind it, but for δ.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from wattkeeper.charging.insight.contribution import most, most_in_a_cell
from wattkeeper.charging.insight.question import Question

DRIVERS = 20
"""How many stand behind a cell that is shown, at least: ten are promised, and to name one of 20 by chance is 0.05."""
DELTA = Decimal(1).scaleb(-6)
"""With which probability a cell of fewer is shown all the same."""
LOOK = Decimal(1) / Decimal(5)
"""What part of its epsilon a question spends on the first look."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Discrete Laplace noise for a list of whole numbers, and from what on one of them is shown."""

    sensitivity: int
    """By how much one driver changes the list, summed over it (L1)."""
    one_cell: int
    """By how much one driver changes a single number of it."""
    epsilon: Decimal

    @property
    def scale(self) -> int:
        """Of the noise: sensitivity / epsilon, rounded up."""
        return int((Decimal(self.sensitivity) / self.epsilon).to_integral_value(ROUND_CEILING)) + 1

    @property
    def margin(self) -> int:
        """What the noise exceeds with probability below `DELTA`."""
        return int((self.scale * -DELTA.ln()).to_integral_value(ROUND_CEILING))

    @property
    def shown_from(self) -> int:
        """From this number on it has `DRIVERS` behind it, but for `DELTA`."""
        return DRIVERS * self.one_cell + self.margin

    def drivers(self, noisy: int) -> int:
        """How many drivers stand behind a noisy number at least, but for `DELTA`."""
        return max(0, noisy - self.margin) // self.one_cell


@dataclass(frozen=True, slots=True)
class Design:
    """The noise of both steps."""

    look: Noise
    cells: Noise


def design(asked: Question) -> Design:
    """The noise that a question gets."""
    whole, look = most(asked), asked.epsilon * LOOK
    return Design(Noise(2 * whole, whole, look), Noise(whole, most_in_a_cell(asked), asked.epsilon - look))
