"""A release as files: JSON for tools, CSV for spreadsheets. The same release is the same bytes for ever."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

import orjson

from wattkeeper.charging.insight.bar import MOST, WORDS, Figure
from wattkeeper.charging.insight.design import DELTA, DRIVERS, Noise
from wattkeeper.charging.insight.question import SESSION_WH, SESSIONS_A_WEEK, Measure
from wattkeeper.charging.insight.release import Release, Row
from wattkeeper.operations.insight.drawing import Candidate

FORMAT = "wattkeeper-release-1"
HEAD = ("site", "cell", "value", "unit", "error", "within_95", "drivers_at_least")


def as_json(made: Candidate, shown: Release) -> str:
    """All of a release: question, provenance, measured figures, sites, cells."""
    asked = made.asked
    told = {
        "format": FORMAT,
        "question": {
            "kind": asked.kind.value,
            "title": str(asked.form.title),
            "first_day": asked.period.first.isoformat(),
            "before_day": asked.period.until.isoformat(),
            "sites": list(asked.sites),
        },
        "unit": asked.form.measure.value,
        "privacy": _privacy(made, shown),
        "measured": figures(made.figures),
        "sites": [_row(one, "total") for one in shown.sites],
        "cells": [_row(one, one.label) for one in shown.cells],
    }
    return orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def figures(measured: Iterable[Figure]) -> list[dict[str, Any]]:
    """What was measured, as files and the ledger have it; shares of one as text, exact."""
    return [
        {
            "what": one.what.value,
            "words": str(WORDS[one.what]),  # in English: it is one file for all
            "value": f"{one.value:f}",
            "within": f"{one.within:f}",
            "at_most": f"{MOST[one.what]:f}",
            "met": one.is_met,
        }
        for one in measured
    ]


def as_csv(made: Candidate, shown: Release) -> str:
    """The cells and totals as a table; an empty value is one that is not shown."""
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\n")
    sheet.writerow(HEAD)
    unit = made.asked.form.measure.value
    for one, label in [*((row, row.label) for row in shown.cells), *((row, "total") for row in shown.sites)]:
        value = "" if one.value is None else one.value
        sheet.writerow((_plain(one.site), label, value, unit, one.error, one.sure, one.drivers or ""))
    return text.getvalue()


def _plain(text: str) -> str:
    """A name that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


def _row(one: Row, label: str) -> dict[str, Any]:
    """One number; null where it is not shown."""
    names = {"site": one.site, "cell": label, "value": one.value, "error": one.error, "within_95": one.sure}
    return names | {"drivers_at_least": one.drivers or None}


def _privacy(made: Candidate, shown: Release) -> dict[str, Any]:
    """How it was made: what one driver counts for, the noise, and what of the budget it spent."""
    asked, plan = made.asked, made.made
    energy = {"session_wh": SESSION_WH, "week_wh": asked.form.week} if asked.form.measure is Measure.ENERGY else {}
    return {
        "protects": "one driver with all their sessions of the calendar year",
        "epsilon": f"{asked.epsilon:f}",
        "mechanism": "discrete Laplace (OpenDP), sequential composition of both steps",
        "one_driver_counts_for": {"sessions_a_week": SESSIONS_A_WEEK, **energy, "weeks": asked.period.weeks},
        "first_look": _noise(plan.look),
        "cells": _noise(plan.cells),
        "drivers_behind_a_cell": DRIVERS,
        "but_for_a_probability_of": f"{DELTA:f}",
        "raised_by": f"{float(shown.raised_by):.4f}",
        "who_counts": "drivers who agreed to it, and whose sessions are neither restricted nor objected to",
    }


def _noise(noise: Noise) -> dict[str, Any]:
    """The noise of one step."""
    told = {"sensitivity": noise.sensitivity, "one_cell": noise.one_cell, "epsilon": f"{noise.epsilon.normalize():f}"}
    return told | {"scale": noise.scale, "shown_from": noise.shown_from}
