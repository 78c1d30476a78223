"""Discrete Laplace noise from OpenDP, the only place that draws it. Whole numbers in and out: no float is released."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wattkeeper.charging.insight.design import Noise

MOST = 2**53
"""Larger numbers than this are no energy; the sampler holds 64 bits."""


def drawn(numbers: Sequence[int], noise: Noise) -> list[int]:
    """Whole numbers, each with discrete Laplace noise of ``noise.scale``; OpenDP confirms what that spends.

    ArithmeticError where it spends more than ``noise.epsilon``: nothing was drawn then.
    """
    import opendp.prelude as dp  # here: it takes most of a second to load, and only releases need it

    if any(abs(one) > MOST for one in numbers):
        raise ArithmeticError("A cell is larger than any energy can be.")
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    measurement = dp.m.make_laplace(*space, scale=float(noise.scale))
    spends: float = measurement.map(noise.sensitivity)  # type: ignore[no-untyped-call]
    if spends > float(noise.epsilon):
        raise ArithmeticError(f"The noise would spend {spends}, which is more than {noise.epsilon}.")
    return [int(one) for one in measurement(list(numbers))]
