"""A mapping is proposed from what the columns of a file are called and from what stands in their first rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import islice

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.history.mapping import EXCEL, ISO
from wattkeeper.operations.history.row import NOTHING
from wattkeeper.operations.history.table import Table

LOOKED_AT = 200
"""How many rows are looked at."""
NAMES: Mapping[str, str] = {
    "session": "session sessionid transactionid transaction cdrid chargingsessionid id uid",
    "station": "station stationid chargepoint chargepointid charger chargerid chargeboxid cpid evseid stationname "
    "chargingstation ladestation ladepunkt spaceid",
    "site": "site siteid location locationid locationname standort",
    "evse": "evse connector connectorid plug plugid port portid outlet socket ccs",
    "begin": "begin start started starttime startdate startdatetime created arrival connectiontime plugin startedat "
    "beginn chargestart",
    "charged": "donechargingtime chargingend chargeend endofcharging chargingstopped ladeende",
    "end": "end ended endtime enddate enddatetime stop stopped stoptime departure disconnecttime plugout endedat ende",
    "energy": "energy energywh energykwh kwh kwhtotal kwhdelivered totalenergy wh consumption energydelivered energie "
    "verbrauch",
    "card": "card cardid cardnumber idtag rfid rfidtag token tokenuid authid userid user karte driverid",
    "paid": "paid price cost totalcost amount dollars fee betrag kosten",
    "soc_begin": "socarrival socbegin socstart startsoc",
    "soc_end": "socdeparture socend endsoc stopsoc",
}
"""What columns are called in files of other systems, without case, signs and units; the likelier first."""
TIMES, FIRST_DAY = ("begin", "charged", "end"), 29_000
FORMS = (
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M:%S"),
    *("%Y/%m/%d %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M"),
    *("%m/%d/%y %H:%M", "%a, %d %b %Y %H:%M:%S GMT", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M"),
)
LEAST = 3
"""Columns that a table of sessions has: begin, end and energy."""
NO_SESSIONS = phrase(
    "This is no table of sessions: its first line must name the columns, at least begin, end and energy."
)
ODD_BEFORE, CENTURY = 100, "20"
"""Years below this were written without their century."""


def propose(table: Table) -> str:
    """A mapping as TOML, with what a person has to look at; Refusal (INVALID) where it can be no table of sessions."""
    rows = [row.cells for row in islice(table.rows, LOOKED_AT) if row.cells is not None]
    found = _columns(table, rows)
    if len(table.names) < LEAST and not found:
        raise Refusal(Code.INVALID, NO_SESSIONS)
    cells = {of: _cells(table.names.index(name), rows) for of, name in found.items()}
    return "\n".join(_written(found, cells, table)) + "\n"


def _columns(table: Table, rows: Sequence[list[str]]) -> dict[str, str]:
    """Which column is probably what: each is one thing, the likelier name first; times have to look like times."""
    plain = {re.sub(r"\(.*?\)|[^a-z0-9]", "", name.lower()): name for name in reversed(table.names)}
    found: dict[str, str] = {}
    for of, likely in NAMES.items():
        names = [plain[one] for one in likely.split() if one in plain and plain[one] not in found.values()]
        if of in TIMES:
            names = [name for name in names if _are_times(_cells(table.names.index(name), rows), table)]
        if names:
            found[of] = names[0]
    return found


def _are_times(cells: Sequence[str], table: Table) -> bool:
    """Whether cells say days: those of a sheet are counted from its first, and none of ours is before 1980."""
    if table.epoch is not None and all(_is_number(cell) for cell in cells):
        return all(Decimal(cell) > FIRST_DAY for cell in cells)
    return not any(cell.replace(".", "").isdigit() for cell in cells)


def _cells(at: int, rows: Sequence[list[str]]) -> list[str]:
    """What stands in a column, without what says nothing."""
    told = [row[at].strip() for row in rows if at < len(row)]
    return [cell for cell in told if cell.lower() not in NOTHING]


def _written(found: Mapping[str, str], cells: Mapping[str, list[str]], table: Table) -> Iterator[str]:
    """The lines of the mapping."""
    yield "# What the columns of this file are. Proposed from their names: look at every line."
    yield "[columns]"
    for of in NAMES:
        if of in found:
            yield f"{of} = {_text(found[of])}"
        elif of in ("begin", "end", "energy"):
            yield f'{of} = "?"  # which column is it? {_text(", ".join(table.names)[:300])}'
    if "station" not in found:
        yield ""
        yield "[fixed]"
        yield 'station = "?"  # the file does not say at which station: name it here'
    yield from _words(cells.get("evse", ()))
    yield from _times(cells.get("begin", []) + cells.get("end", []), table)
    yield ""
    yield "[energy]"
    yield f'unit = "{_unit(found.get("energy", ""), cells.get("energy", ()))}"  # Wh, kWh or MWh'
    if any(re.fullmatch(r"[0-9]+,[0-9]+", cell) for cell in cells.get("energy", ())):
        yield 'decimal = ","'
    if "paid" in found:
        yield ""
        yield "[paid]"
        yield f'currency = "{"USD" if "dollar" in found["paid"].lower() else "EUR"}"  # kept beside it, never billed'


def _words(cells: Sequence[str]) -> Iterator[str]:
    """A number for each word that plugs are called by."""
    words = sorted({cell for cell in cells if not cell.isdigit()})
    if not words:
        return
    yield ""
    yield "[evse]"
    for number, word in enumerate(words[:50], 1):
        yield f"{_text(word)} = {number}"


def _times(cells: Sequence[str], table: Table) -> Iterator[str]:
    """How times are written, and which years cannot be."""
    form = _form(cells, table)
    yield ""
    yield "[times]"
    yield 'zone = "UTC"  # where its times are local, such as Europe/Berlin'
    yield f"format = {_text(form)}"
    years = sorted({year for cell in cells if (year := _year(cell, form)) is not None and int(year) < ODD_BEFORE})
    if years:
        yield ""
        yield "[times.years]"
    for year in years:
        yield f'"{year}" = "{CENTURY}{year[2:]}"  # written so in the file'


def _form(cells: Sequence[str], table: Table) -> str:
    """The first form in which all of some times can be read."""
    if table.epoch is not None and cells and all(_is_number(cell) for cell in cells):
        return EXCEL
    return next((form for form in (*FORMS, ISO) if cells and all(_year(cell, form) for cell in cells)), ISO)


def _year(cell: str, form: str) -> str | None:
    """The year of a time as it is written; None where it is written in another form."""
    with suppress(ValueError, OverflowError):
        if form == ISO:
            return f"{datetime.fromisoformat(cell).year:04}"
        if form != EXCEL:
            return f"{datetime.strptime(cell, form).year:04}"
    return None


def _unit(name: str, cells: Sequence[str]) -> str:
    """The unit of energy: as the name of its column says, else by how much it is."""
    plain = name.lower()
    if "kwh" in plain or "mwh" in plain:
        return "kWh" if "kwh" in plain else "MWh"
    if "wh" in plain:
        return "Wh"
    numbers = [Decimal(cell) for cell in cells if _is_number(cell)]
    return "Wh" if numbers and max(numbers) > 1000 else "kWh"


def _is_number(cell: str) -> bool:
    try:
        return Decimal(cell).is_finite()
    except InvalidOperation:
        return False


def _text(text: str) -> str:
    """A text as TOML writes it: as JSON does, but a letter beyond 16 bits is one word and no two."""
    told = (json.dumps(one)[1:-1] if one <= "\uffff" else f"\\U{ord(one):08x}" for one in text)
    return f'"{"".join(told)}"'.replace("\x7f", "\\u007f")
