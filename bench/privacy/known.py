"""The two published sets of real sessions that the attacks are tried on."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

from bench.privacy.population import Charge

HOME = Path(__file__).parent
WORKPLACE = HOME.parent.parent / "src" / "wattkeeper" / "simulator" / "data" / "workplace_sessions.csv"
FAST = HOME / "data" / "dc_fast_sessions.csv"


def workplace() -> list[Charge]:
    """Sessions of 85 drivers at work, driver by driver; years are published as 0014 and 0015."""
    with WORKPLACE.open() as file:
        rows = list(csv.DictReader(file))
    charges = [
        Charge(
            row["user"],
            row["location"],
            datetime.fromisoformat("20" + row["created"][2:]),
            datetime.fromisoformat("20" + row["ended"][2:]),
            round(1000 * float(row["kwh"])),
        )
        for row in rows
    ]
    return by_driver(charges)


def fast() -> list[Charge]:
    """Sessions at two fast charging plugs, car by car: told apart by battery and the power asked for."""
    with FAST.open() as file:
        rows = list(csv.DictReader(file))
    charges = [
        Charge(
            f"{row['battery_wh']}-{row['asked_w']}",
            row["plug"],
            datetime.fromisoformat(row["arrived"]),
            datetime.fromisoformat(row["left"]),
            int(row["energy_wh"]),
        )
        for row in rows
    ]
    return by_driver(charges)


def by_driver(charges: list[Charge]) -> list[Charge]:
    """Driver by driver, each in order of time."""
    return sorted(charges, key=lambda one: (one.driver, one.began))
