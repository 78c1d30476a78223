"""``make privacy-report``: attack before and after, and write docs/privacy-report.md; ``--quick`` prints less."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.privacy import known
from bench.privacy.measure import SEED, Section, measure
from bench.privacy.population import ALL, Charge, town
from bench.privacy.report import told

REPORT = Path(__file__).parent.parent.parent / "docs" / "privacy-report.md"
QUICK = 4_000
TOWN = "A generated town"
WORK = "Sessions at work"
FAST = "Sessions at fast chargers"


def sections(*, quick: bool) -> list[Section]:
    """All sets, attacked; quick: a smaller town with as many fewer sites, and fewer worlds."""
    trials = 8_000 if quick else 40_000
    sets: list[tuple[str, Callable[[], list[Charge]], tuple[str, str]]] = [
        (TOWN, lambda: town(SEED, QUICK if quick else ALL), ("2025-01", "2025-02")),
        (WORK, known.workplace, ("2015-01", "2015-10")),
        (FAST, known.fast, ("2022-01", "2022-12")),
    ]
    found = []
    for name, charges, months in sets:
        began = time.monotonic()
        found.append(measure(name, charges(), months, trials))
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return found


def main() -> None:
    """Attack and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smaller town; print the report and write nothing")
    arguments = parser.parse_args()
    text = told(sections(quick=arguments.quick))
    if arguments.quick:
        print(text, end="")
    else:
        REPORT.write_text(text)
        print(f"Written: {REPORT}")


if __name__ == "__main__":
    main()
