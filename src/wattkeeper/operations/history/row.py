"""One row of a file, read by a mapping: a session of long ago and its card, or what is wrong in which column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from wattkeeper.charging.cards.token import Presented
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.history.oddity import Oddity
from wattkeeper.charging.history.past import Past
from wattkeeper.charging.phrase import Said, phrase
from wattkeeper.operations.cards.listing import checked
from wattkeeper.operations.history.mapping import EXCEL, ISO
from wattkeeper.operations.history.mapping import Mapping as Mapped
from wattkeeper.operations.history.table import LONGEST_CELL, Table, printable
from wattkeeper.operations.stations.admission import LONGEST_ID, is_identity

O = Oddity  # noqa: E741
NOTHING = frozenset({"", "na", "n/a", "nan", "null", "none", "-"})
"""What stands in cells of which nothing is known."""
EARLIEST = 1990
"""No station that told of its sessions is older."""
LONGEST_NAME = 100
WHOLE = Decimal("0.000001")
MOST_WH = Decimal(10**9)
NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,20})?([Ee][+-]?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that is not taken over: in which line, in which column (as the file calls it), and why."""

    line: int
    column: str
    kind: Oddity
    why: Said


@dataclass(frozen=True, slots=True)
class Read:
    """A row that can be taken over, with what is not kept beside it."""

    past: Past
    card: Presented | None = None
    paid: Decimal | None = None


class _Bad(Exception):  # noqa: N818 - a reason, not a fault
    """Why a cell cannot be taken; ``of`` is what it is of."""

    def __init__(self, of: str, kind: Oddity, why: Said) -> None:
        super().__init__(why)
        self.of, self.kind, self.why = of, kind, why


class Reader:
    """Reads rows of a table by a mapping; Refusal (INVALID) where the mapping names columns that there are not."""

    def __init__(self, table: Table, mapping: Mapped, now: datetime) -> None:
        self._mapping = mapping
        self._named = mapping.columns.named()
        self._epoch = table.epoch
        self._now = now
        self._width = len(table.names)
        self._places = {of: _place(table.names, of, column) for of, column in self._named.items()}
        self._table = table
        self._zone = mapping.zone

    def rows(self) -> Iterator[Read | Bad]:
        """Every row, in order."""
        for row in self._table.rows:
            if row.cells is None:
                yield Bad(row.line, "", O.UNREADABLE, TORN.filled(most=str(LONGEST_CELL)))
                continue
            if any(cell.strip() for cell in row.cells[self._width :]):
                yield Bad(row.line, "", O.UNREADABLE, phrase("There are more cells than columns."))
                continue
            yield self._row(row.line, row.cells)

    def _row(self, line: int, cells: list[str]) -> Read | Bad:
        """One row."""
        told = {of: cells[at].strip() if at < len(cells) else "" for of, at in self._places.items()}
        told = {of: "" if cell.lower() in NOTHING else cell for of, cell in told.items()}
        try:
            return self._read(line, told)
        except _Bad as bad:
            return Bad(line, self._named.get(bad.of, ""), bad.kind, bad.why)

    def _read(self, line: int, told: Mapping[str, str]) -> Read:
        """One row whose cells are told by what they are of."""
        began_at, year = self._time("begin", told["begin"])
        ended_at, _ = self._time("end", told["end"], began_at)
        charged = told.get("charged", "")
        charged_at = self._time("charged", charged, began_at)[0] if charged else None
        if ended_at < began_at:
            raise _Bad("end", O.REVERSED, phrase("It ends before it begins."))
        if charged_at is not None and not began_at <= charged_at <= ended_at:
            raise _Bad("charged", O.REVERSED, phrase("Energy ceased to flow before it begins or after it ends."))
        past = Past(
            name=_text("session", told.get("session", ""), LONGEST_NAME) or self._nameless(told, began_at),
            line=line,
            station=self._station(told),
            site=_text("site", told.get("site", ""), LONGEST_NAME) or self._mapping.fixed.site,
            evse=self._number("evse", told),
            connector=self._number("connector", told),
            began_at=began_at,
            ended_at=ended_at,
            charged_at=charged_at,
            energy_wh=self._energy(told["energy"]),
            soc_begin=self._percent("soc_begin", told),
            soc_end=self._percent("soc_end", told),
            year=year,
        )
        return Read(past, _card(told.get("card", "")), self._paid(told.get("paid", "")))

    def _nameless(self, told: Mapping[str, str], began_at: datetime) -> str:
        """What a session is called that has no name: its plug and its beginning."""
        if "session" in told:
            raise _Bad("session", O.MISSING, phrase("It has no name: without one it would be imported twice."))
        return f"{self._number('evse', told)}.{self._number('connector', told)} {began_at:%Y-%m-%dT%H:%M:%S.%fZ}"

    def _station(self, told: Mapping[str, str]) -> str:
        """At which station, as it is called here."""
        name = told.get("station", "") or ("" if "station" in told else self._mapping.fixed.station)
        if not name:
            raise _Bad("station", O.MISSING, phrase("It does not say at which station."))
        name = self._mapping.stations.get(name, name)
        if not is_identity(name):
            raise _Bad("station", O.UNREADABLE, IDENTITY.filled(most=str(LONGEST_ID)))
        return name

    def _number(self, of: str, told: Mapping[str, str]) -> int:
        """The number of an EVSE or a connector."""
        cell, words = told.get(of, ""), getattr(self._mapping, of)
        if not cell:
            return int(getattr(self._mapping.fixed, of))
        if cell in words:
            return int(words[cell])
        if not (cell.isascii() and cell.isdigit() and 1 <= int(cell[:9]) <= 999):
            why = phrase(
                "{cell} is no number: say under [{of}] in the mapping which it stands for.", cell=_shown(cell), of=of
            )
            raise _Bad(of, O.UNREADABLE, why)
        return int(cell)

    # --- times ----------------------------------------------------------------------------------------------------

    def _time(self, of: str, cell: str, after: datetime | None = None) -> tuple[datetime, str]:
        """An instant, and the year as it was written where it had to be repaired.

        Where clocks were put back, what would lie before ``after`` is the second of the two hours.
        """
        if not cell:
            raise _Bad(of, O.MISSING, phrase("The time is missing."))
        told = self._parsed(of, cell)
        written, year = f"{told.year:04}", ""
        if written in self._mapping.times.years:
            try:
                told, year = told.replace(year=int(self._mapping.times.years[written])), written
            except ValueError:
                raise _Bad(of, O.YEAR, phrase("{cell} is no day of that year.", cell=_shown(cell))) from None
        if not EARLIEST <= told.year <= self._now.year + 1:
            raise _Bad(of, O.YEAR, YEAR.filled(year=written))
        at = self._placed(told)
        if after is not None and at < after and told.tzinfo is None:
            at = max(at, self._placed(told.replace(fold=1)))
        if at > self._now:
            raise _Bad(of, O.UNREADABLE, phrase("{cell} is still to come.", cell=_shown(cell)))
        return at, year

    def _placed(self, told: datetime) -> datetime:
        """A time as an instant: by its own offset, or where the file is from."""
        return (told if told.tzinfo is not None else told.replace(tzinfo=self._zone)).astimezone(UTC)

    def _parsed(self, of: str, cell: str) -> datetime:
        """What a time says; _Bad where it is written in another way."""
        form = self._mapping.times.format
        try:
            if form == EXCEL:
                return self._dated(cell)
            return datetime.fromisoformat(cell) if form == ISO else datetime.strptime(cell, form)
        except (ValueError, OverflowError, InvalidOperation):
            pass
        if self._epoch is not None and form != EXCEL and NUMBER.fullmatch(cell):
            raise _Bad(of, O.UNREADABLE, phrase('This is a date of a sheet: say format = "excel" under [times].'))
        why = phrase("{cell} is not written as {form}.", cell=_shown(cell), form=form)
        raise _Bad(of, O.UNREADABLE, why)

    def _dated(self, cell: str) -> datetime:
        """The day and time of a number in a sheet, to the second: it cannot say more."""
        if not NUMBER.fullmatch(cell) or self._epoch is None:
            raise ValueError(cell)
        seconds = int((Decimal(cell) * 86_400).to_integral_value())
        return (self._epoch + timedelta(seconds=seconds)).replace(tzinfo=None)

    # --- amounts --------------------------------------------------------------------------------------------------

    def _energy(self, cell: str) -> Decimal | None:
        """Energy, Wh, to the millionth; None where it is not told."""
        if not cell:
            return None
        energy = self._amount("energy", cell) * self._mapping.factor
        if not 0 <= energy < MOST_WH:
            why = phrase("{cell} is not the energy of a session; it is from 0 to a thousand MWh.", cell=_shown(cell))
            raise _Bad("energy", O.UNREADABLE, why)
        return energy.quantize(WHOLE).normalize() + 0

    def _amount(self, of: str, cell: str) -> Decimal:
        """A number, by the decimal sign of the file; a point beside a comma sets thousands apart, but for workbooks."""
        sign = self._mapping.energy.decimal
        plain = cell.replace(",", ".") if sign == "," and "." not in cell else cell
        is_doubtful = sign == "," and "." in cell and self._epoch is None
        if is_doubtful or not NUMBER.fullmatch(plain):
            raise _Bad(
                of, O.UNREADABLE, phrase("{cell} is not a number such as 12{sign}5.", cell=_shown(cell), sign=sign)
            )
        return Decimal(plain)

    def _percent(self, of: str, told: Mapping[str, str]) -> Decimal | None:
        """A state of charge; what cannot be one is left out, for nothing depends on it."""
        cell = told.get(of, "")
        if not cell:
            return None
        percent = self._amount(of, cell)
        return percent.quantize(WHOLE).normalize() + 0 if 0 <= percent <= 100 else None

    def _paid(self, cell: str) -> Decimal | None:
        """What was paid, in major units."""
        if not cell:
            return None
        amount = self._amount("paid", cell)
        if not 0 <= amount < MOST_WH:
            raise _Bad("paid", O.UNREADABLE, phrase("{cell} is no amount that somebody paid.", cell=_shown(cell)))
        return amount


TORN = phrase("It could not be read: a cell of more than {most} characters, or a quotation mark that is not closed.")
IDENTITY = phrase("This can be no station's identity: it has 1 to {most} printable characters and no blank ends.")
YEAR = phrase(
    'The year {year} cannot be. If another is meant, say so in the mapping under [times.years]: "{year}" = "2014".'
)


def _place(names: list[str], of: str, column: str) -> int:
    """Where a column is; Refusal (INVALID) where it is not, or twice."""
    found = names.count(column)
    if found != 1:
        told = ", ".join(printable(name, 40) for name in names[:50])
        missing = phrase("There is no column {column} ({of}); there are: {names}.", column=column, of=of, names=told)
        twice = phrase(
            "There are {count} columns {column} ({of}): give them names of their own.",
            count=found,
            column=column,
            of=of,
        )
        raise Refusal(Code.INVALID, twice if found else missing)
    return names.index(column)


def _text(of: str, cell: str, longest: int) -> str:
    """A text that can be printed."""
    if len(cell) > longest or not cell.isprintable():
        why = phrase("A text is longer than {most} characters or has characters that cannot be printed.", most=longest)
        raise _Bad(of, O.UNREADABLE, why)
    return cell


def _card(cell: str) -> Presented | None:
    """The card, if any; what is wrong with it never says what it is."""
    if not cell:
        return None
    try:
        return Presented(checked(cell))
    except Refusal as refusal:
        raise _Bad("card", O.UNREADABLE, refusal.why) from None


def _shown(cell: str) -> str:
    """A cell as it is shown in a sentence."""
    return f"“{printable(cell, 40)}”"
