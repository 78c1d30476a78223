"""The records of processing activities (GDPR Article 30), written from the register and from nothing else."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator

from wattkeeper.operations.privacy.register.notice import AREAS
from wattkeeper.operations.privacy.register.register import Activity, Kept, activities, columns
from wattkeeper.store.columns import Area
from wattkeeper.store.tables import metadata

HEAD = """# Records of processing activities

GDPR Article 30(1). Written from `store/tables/` by `wattkeeper register --records`; a test holds this page equal to it,
and a column that does not say its purpose, basis, retention and recipients fails the checks. Change the tables, never
this page.

- **Controller, and whom to write to**: `WATTKEEPER_SELLER_NAME` with its address, `WATTKEEPER_PRIVACY_CONTACT`.
- **Whose data**: drivers, and people who work here (their accounts, and what they did). No special categories.
- **Third countries**: Wattkeeper itself sends nothing there. A payment provider, a mail server, a company's own sign-in
  or a key service may be there, where one is set: name them and their safeguards beside this page.
- **Time limits**: by column below. What has days, and what tax law keeps, is deleted every night by
  `operations/retention.py`, which writes down in the log how much of what; a legal hold keeps what a dispute needs.
- **Security** (Article 32): personal values sealed under a key for each person; cards and addresses found by keyed
  pseudonyms only; one policy on who may do what; a purpose and a reason before a person's data opens, and every look
  told to the person; a log that nobody can change unseen. See [access.md](access.md) and [map.md](map.md).
"""
COLUMNS = ("table", "column", "area", "purpose", "personal", "basis", "retention", "recipients", "sealed under")


def records() -> str:
    """The page `docs/records-of-processing.md`."""
    return HEAD + "".join(_section(one) for one in activities(metadata)) + _rest()


def as_csv() -> str:
    """The whole register, a line for each column."""
    out = io.StringIO()
    sheet = csv.writer(out, lineterminator="\n")
    sheet.writerow(COLUMNS)
    sheet.writerows(row.values() for row in _rows())
    return out.getvalue()


def as_json() -> str:
    """The whole register, an object for each column."""
    return json.dumps(list(_rows()), indent=1, ensure_ascii=False) + "\n"


def _rows() -> Iterator[dict[str, str]]:
    for one in columns(metadata):
        personal, gets = "yes" if one.is_personal else "no", "; ".join(one.recipients)
        told = (
            one.table,
            one.column,
            one.area,
            one.purpose,
            personal,
            one.basis,
            one.retention,
            gets,
            one.sealed_under,
        )
        yield {name: str(value) for name, value in zip(COLUMNS, told, strict=True)}


def _section(activity: Activity) -> str:
    """One activity: what it is for, who gets what, and every personal column of it."""
    what, why = AREAS[activity.area]
    rows = [one for one in columns(metadata) if one.is_personal and one.area is activity.area]
    lines = [
        f"\n## {activity.area.value.capitalize()}\n",
        f"{what}. {why}\n",
        f"Basis: {_said(activity.bases)}.  ",
        f"Recipients: {_said(activity.recipients)}.  ",
        f"Kept: {_said(activity.retentions)}.\n",
        "| column | purpose | basis | kept | recipients |",
        "|---|---|---|---|---|",
        *(_line(one) for one in rows),
    ]
    return "\n".join(lines) + "\n"


def _line(one: Kept) -> str:
    sealed = " (sealed)" if one.sealed_under else ""
    cells = (f"`{one.table}.{one.column}`{sealed}", one.purpose, one.basis, one.retention, ", ".join(one.recipients))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _said(values: Iterable[str]) -> str:
    return "; ".join(values)


def _rest() -> str:
    """How much says nothing about anybody."""
    rest = [one for one in columns(metadata) if not one.is_personal]
    areas = ", ".join(f"{sum(one.area is area for one in rest)} of {area.value}" for area in Area)
    return (
        f"\n## What says nothing about persons\n\n{len(rest)} columns ({areas}) say nothing about anybody. "
        "`wattkeeper register --csv` lists them too.\n"
    )
