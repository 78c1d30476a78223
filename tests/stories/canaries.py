"""Card numbers that are planted everywhere, and the messages that they are planted in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any

from tests.attacks.canaries import Hunt
from tests.ocpp.test_privacy import PLACES, planted

CANARIES = (
    "04C0FFEE15DEAD",
    "04:C0:FF:EE:16:DE:AD",
    "04-c0-ff-ee-17-de-ad",
    "X19WG99J2QIEGCC0MCJ5",
    "DE8AAC20B3C4D59X",
    "20419774",
)
"""As a reader shows them, with separators, in lower case; from an app, a contract, a decimal reader."""
HUNT = Hunt(numbers=CANARIES)


def messages(version: Any, correct: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Correct messages of a version with a canary in one place each: in every place that may not hold one."""
    canaries = cycle([*CANARIES, f"card {CANARIES[0]} read", f"{CANARIES[1]}\t"])
    for _, action, path in (place for place in PLACES if place[0] is version):
        for _ in range(3):
            number = next(canaries)
            if number.isdigit() and path[-1] in {"value", "actualValue", "attributeValue"}:
                continue  # a number that a meter or a setting may well show
            yield action, planted(correct[action], path, number)
