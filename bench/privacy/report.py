"""The report as text: what `make privacy-report` writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.privacy.measure import SEED, Line, Section
from wattkeeper.charging.insight.bar import MOST, WORDS
from wattkeeper.charging.insight.design import DELTA, DRIVERS
from wattkeeper.charging.insight.question import FORMS, SESSION_WH, SESSIONS_A_WEEK, Kind

HOW = Path(__file__).parent / "how.md"
WHAT = """# What attacks on released aggregates come to

Written by `make privacy-report`; not edited by hand. *Before* is an export of single sessions under pseudonyms, which
is often called anonymous. *After* is what `wattkeeper release` lets out of the same sessions: energy of each site by
hour of the day, epsilon 0.5. Seed of towns and targets: {seed}; the noise is OpenDP's own and has none, so
figures differ a little from run to run.
"""
HEAD = "| measured | at most | before | after | |"
RULE = "|---|---|---|---|---|"


def told(sections: Sequence[Section]) -> str:
    """The whole report."""
    return "\n".join(_lines(sections)) + "\n"


def _lines(sections: Sequence[Section]) -> Iterator[str]:
    fixed = {
        "sessions": SESSIONS_A_WEEK,
        "session_kwh": SESSION_WH // 1000,
        "week_kwh": FORMS[Kind.SITE_LOAD].week // 1000,
        "drivers": DRIVERS,
        "delta": f"{DELTA:f}",
    }
    yield WHAT.format(seed=SEED)
    yield from (*map(_short, sections), "")
    for section in sections:
        yield from _section(section)
    yield HOW.read_text().format(**fixed).rstrip("\n")


def _section(section: Section) -> Iterator[str]:
    """One set of sessions."""
    yield from (f"## {section.name}", "")
    yield f"{section.sessions:,} sessions of {section.drivers:,} drivers.".replace(",", " ")
    if not section.has_left:
        yield "**Nothing leaves**: the house refuses, so there is nothing to attack."
    yield from ("", HEAD, RULE, *map(_row, section.lines), "")
    yield from (*(f"- {remark}" for remark in section.remarks), "")


def _short(section: Section) -> str:
    """A set in a line."""
    if not section.has_left:
        return f"- **{section.name}**: too few drivers for anything to leave; the house refuses."
    missed = [str(WORDS[line.what]) for line in section.lines if not line.is_met]
    told = f"not met: {'; '.join(missed)}" if missed else "each of the five measures is met"
    return f"- **{section.name}**: {told}."


def _row(line: Line) -> str:
    """One measure."""
    sure = f" ± {line.within:.3f}" if line.within and line.after is not None else ""
    after = "nothing leaves" if line.after is None else f"{line.after:.4f}{sure}"
    before = "–" if line.before is None else f"{line.before:.3f}"
    return f"| {WORDS[line.what]} ({line.how_many}) | {MOST[line.what]} | {before} | {after} | {verdict(line)} |"


def verdict(line: Line) -> str:
    """In a word."""
    if line.after is None:
        return "refused"
    return "met" if line.is_met else "**not met**"


def verdicts(lines: Iterable[str]) -> dict[tuple[str, str], str]:
    """What a report that was written says of each measure of each set."""
    found, section = {}, ""
    for line in lines:
        if line.startswith("## "):
            section = line[3:].strip()
        cells = [cell.strip() for cell in line.strip("| \n").split("|")]
        if line.startswith("| ") and line.strip() != HEAD and len(cells) == 5:
            found[section, cells[0].rpartition(" (")[0]] = cells[4]
    return found
