"""What does not fit together about sessions that were imported: asked beside what is asked of every session."""

from __future__ import annotations

from collections.abc import Iterator

from wattkeeper.charging.evidence import kwh
from wattkeeper.charging.history.oddity import BATTERY_WH
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.meter import figure
from wattkeeper.charging.money.discrepancy import Discrepancy, Examined, Gravity, Kind, discrepant
from wattkeeper.charging.phrase import phrase


def of_history(one: Examined) -> Iterator[Discrepancy]:
    """What is odd about an imported session; nothing about others."""
    energy_wh = one.session.energy_wh
    if not one.session.imported:
        return
    if energy_wh is None:
        yield discrepant(Kind.NO_ENERGY, Gravity.NOTE, one, phrase("It was imported without its energy."))
    elif energy_wh == 0:
        yield discrepant(Kind.NO_ENERGY, Gravity.NOTE, one, phrase("It was imported, and no energy flowed."))
    elif energy_wh > BATTERY_WH:
        words = MERGED.filled(energy_wh=kwh(figure(energy_wh)), most_wh=kwh(figure(BATTERY_WH)))
        yield discrepant(Kind.BEYOND_BATTERY, Gravity.DOUBT, one, words, energy_wh=energy_wh - BATTERY_WH)


MERGED = phrase("It was imported with {energy_wh}, more than {most_wh}: probably several sessions in one.")


def between_history(before: Examined, after: Examined) -> Iterator[Discrepancy]:
    """Whether an imported session is the one before it at its connector again, under another name."""
    one, other = before.session, after.session
    same = (one.started_at, one.ended_at, one.energy_wh) == (other.started_at, other.ended_at, other.energy_wh)
    if same and other.imported:
        words = phrase(
            "It has the times and the energy of session {other}: probably it is here twice.", other=shown(one.id)
        )
        yield discrepant(Kind.TWICE, Gravity.DOUBT, after, words, other=one.id, energy_wh=other.energy_wh or 0)
