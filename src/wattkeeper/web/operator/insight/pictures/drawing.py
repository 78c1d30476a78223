"""Pictures of numbers as SVG: a heat map, bars, a curve, what is missing, when it was.

Pure: values and words in, marks out, for page and file alike.
Each is drawn twice, for wide screens and for narrow ones, and says its figures: nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from wattkeeper.charging.money.exact import divided
from wattkeeper.charging.phrase import Figure, Said
from wattkeeper.language import tell

WIDE_PX, NARROW_PX = 1200, 358
LEVELS = 6
"""How many steps of colour there are beside nothing."""
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Drawing:
    """The marks of a picture, and how large they are, pixels."""

    width: int
    height: int
    marks: Markup

    @classmethod
    def empty(cls) -> Drawing:
        """Where there is nothing to draw."""
        return cls(WIDE_PX, 0, Markup(""))


@dataclass(frozen=True, slots=True)
class Mark:
    """A value of a picture: how it reads, all that is said of it, and where what is behind it can be found."""

    value: Decimal
    text: str
    told: str
    href: str = ""


# --- a heat map ---------------------------------------------------------------------------------------------------


def level(value: Decimal, most: Decimal) -> int:
    """How dark a value is among all: 0 nothing, 1 to 6 by equal steps up to the most."""
    if value <= 0 or most <= 0:
        return 0
    return min(LEVELS, 1 + int(divided(value * LEVELS, most)))


def heat(rows: Sequence[Sequence[Mark]], names: Sequence[str], heads: Sequence[str], cell: tuple[int, int]) -> Drawing:
    """A map of rows by columns; ``cell``: how wide and how high a value is, pixels."""
    across, high = cell
    left, above = 44, 20
    most = max((one.value for row in rows for one in row), default=ZERO)
    found = next(((y, x) for y, row in enumerate(rows) for x, one in enumerate(row) if one.value == most > 0), None)
    marks = [_text(left + x * across + across // 2, 12, head, "mid") for x, head in enumerate(heads) if head]
    last: list[Markup] = []
    for y, row in enumerate(rows):
        marks.append(_text(0, above + y * high + high // 2 + 4, names[y]))
        for x, one in enumerate(row):
            top = (y, x) == found
            drawn = _cell(one, (left + x * across, above + y * high), cell, level(one.value, most), top)
            (last if top else marks).append(drawn)
    return Drawing(left + across * len(heads), above + high * len(rows) + 2, Markup("").join([*marks, *last]))


def _cell(one: Mark, at: tuple[int, int], size: tuple[int, int], depth: int, top: bool) -> Markup:
    """A value of a map; the highest has a frame."""
    x, y = at
    square = Markup('<rect x="{}" y="{}" width="{}" height="{}"/>').format(x, y, *size)
    figure = _text(x + size[0] // 2, y + size[1] // 2 + 4, one.text)
    css = f"cell l{depth}{' top' if top else ''}"
    return _linked(one, Markup('<g class="{}">{}{}</g>').format(css, square + figure, _title(one.told)))


# --- bars ---------------------------------------------------------------------------------------------------------


def bars(values: Sequence[Mark], names: Sequence[str], unit: str, width: int, *, flows: bool = False) -> Drawing:
    """A bar each, from nothing up; ``names`` stand below, an empty one is left out. ``flows``: whether it is energy."""
    left, above, high, below = 44, 24, 176, 24
    most = max((one.value for one in values), default=ZERO)
    ticks = scale(most)
    room = width - left
    if most <= 0:
        return Drawing.empty()
    marks = list(_grid(ticks, unit, left, width, above, high))
    found = next((x for x, one in enumerate(values) if one.value == most), None)
    for x, one in enumerate(values):
        since, until = left + x * room // len(values), left + (x + 1) * room // len(values)
        size = _pixels(one.value, ticks[-1], high)
        css = "bar flows" if flows else "bar"
        box = (since + 2, above + high - size, max(1, until - since - 4), size)
        bar = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}">{}</rect>')
        marks.append(_linked(one, bar.format(css, *box, _title(one.told))))
        middle = (since + until) // 2
        if x == found:
            marks.append(_text(min(max(middle, left + 44), width - 40), above + high - size - 6, one.text, "said mid"))
        if names[x]:
            marks.append(_text(middle, above + high + 16, names[x], "mid"))
    marks.append(_line("base", left, above + high, width, above + high))
    return Drawing(width, above + high + below, Markup("").join(marks))


# --- a curve ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a curve does over a stretch: the most, and on average."""

    most: Decimal
    mean: Decimal


def curve(
    values: Sequence[Stretch], names: Sequence[tuple[int, str]], unit: str, width: int, peak: tuple[int, str]
) -> Drawing:
    """A curve of stretches of one length; ``names``: what stands below at which stretch; ``peak``: what is marked."""
    left, above, high, below = 44, 32, 240, 24
    ticks = scale(max((one.most for one in values), default=ZERO))
    room, count = width - left, max(1, len(values))

    def x(place: int) -> int:
        return left + place * room // count

    def y(value: Decimal) -> int:
        return above + high - _pixels(value, ticks[-1], high)

    marks = list(_grid(ticks, unit, left, width, above, high))
    for place, name in names:
        marks.append(_line("grid", x(place), above, x(place), above + high + 4))
        marks.append(_text(x(place) + 4, above + high + 16, name))
    for css, sizes in (("area most", [one.most for one in values]), ("area", [one.mean for one in values])):
        steps = "".join(f"V{y(one)}H{x(place + 1)}" for place, one in enumerate(sizes))
        marks.append(Markup('<path class="{}" d="M{} {}{}V{}Z"/>').format(css, left, above + high, steps, above + high))
    if values:
        place, text = peak
        at = (x(place) + x(place + 1)) // 2
        marks.append(Markup('<circle class="mark" cx="{}" cy="{}" r="4"/>').format(at, y(values[place].most)))
        css = "said" if at < width - 160 else "said end"
        marks.append(_text(at + (8 if css == "said" else -8), y(values[place].most) - 8, text, css))
    marks.append(_line("base", left, above + high, width, above + high))
    return Drawing(width, above + high + below, Markup("").join(marks))


# --- what is missing from the whole -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Missing:
    """How much of a whole there is, percent, also without what is excused; with all that a mark has."""

    mark: Mark
    bare: Decimal


FLOORS = (95, 90, 80, 50, 0)
"""Where an axis may end that begins at 100 %."""


def hanging(values: Sequence[Missing], names: Sequence[str], least: int, width: int) -> Drawing:
    """A bar each from 100 % down to what there is, framed where that is excused; a line at the least, percent.

    How long a bar is is how much is missing; a bar that crosses the line is too long, whatever its colour.
    """
    left, above, high, below = 44, 24, 176, 24
    if not values:
        return Drawing.empty()
    lowest = min(min(one.bare, one.mark.value) for one in values)
    floor = next(one for one in FLOORS if lowest >= one or one == 0)

    def y(percent: Decimal) -> int:
        return above + int(divided((100 - max(percent, Decimal(floor))) * high, 100 - floor))

    marks = []
    for tick in (Decimal(floor), Decimal(100 + floor) / 2, Decimal(100)):
        marks.append(_line("base" if tick == 100 else "grid", left, y(tick), width, y(tick)))
        marks.append(_text(left - 6, y(tick) + 4, Figure(tick, 0 if tick == int(tick) else 1), "end"))
    marks.append(_text(left - 6, above - 10, "%", "end"))
    room = width - left
    is_said = room // len(values) >= max(7 * len(str(tell(one.mark.text))) + 4 for one in values)
    for place, one in enumerate(values):
        since, until = left + place * room // len(values), left + (place + 1) * room // len(values)
        size = max(1, min(until - since - 4, 120))
        box = ((since + until - size) // 2, size)
        marks.append(_missing(one, box, above, (y(one.bare), y(one.mark.value))))
        if is_said:
            below_bar = max(y(one.bare), y(one.mark.value))
            marks.append(_text(box[0] + box[1] // 2, below_bar + 14, one.mark.text, "said mid"))
        marks.append(_text(box[0] + box[1] // 2, above + high + 40, names[place], "mid"))
    at = y(Decimal(least))
    marks += [_line("least", left, at, width, at), _text(width, at - 6, Figure(Decimal(least), 0, "%"), "end")]
    return Drawing(width, above + high + below + 22, Markup("").join(marks))


def _missing(one: Missing, box: tuple[int, int], top: int, ends: tuple[int, int]) -> Markup:
    """What is missing, and in a frame below it what is excused."""
    x, width = box
    bare, counted = max(ends), min(ends)
    frame = Markup('<rect class="excused" x="{}" y="{}" width="{}" height="{}"/>')
    bar = Markup('<rect class="bar" x="{}" y="{}" width="{}" height="{}"/>')
    drawn = bar.format(x, top, width, max(counted - top, 0))
    if bare > counted:
        drawn += frame.format(x, counted, width, bare - counted)
    target = Markup('<rect class="reach" x="{}" y="{}" width="{}" height="{}"/>').format(x, top, width, bare - top + 20)
    return _linked(one.mark, Markup("<g>{}{}{}</g>").format(target, drawn, _title(one.mark.told)))


# --- when it was --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a lane, from one thousandth of it to another; ``depth`` 3 fills it, 1 is a thin line."""

    since: int
    until: int
    depth: int
    told: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """What happened to one of several over time."""

    name: Said | str
    text: str
    """What it comes to."""
    blocks: Sequence[Block]


def lanes(rows: Sequence[Lane], names: Sequence[tuple[int, str]], width: int) -> Drawing:
    """A lane each below its name; ``names``: what stands above at which thousandth of the time."""
    if not rows:
        return Drawing.empty()
    above, each, high = 24, 40, 15
    marks = []
    for at, name in names:
        x = at * width // 1000
        marks.append(_line("grid", x, above - 8, x, above + each * len(rows)))
        marks.append(_text(x + 4, 12, name))
    for place, row in enumerate(rows):
        top = above + place * each
        marks.append(_text(0, top + 12, _fitting(row.name, width - 7 * len(str(tell(row.text))) - 16), "said"))
        marks.append(_text(width, top + 12, row.text, "end"))
        marks.append(_line("base", 0, top + 18 + high, width, top + 18 + high))
        for one in row.blocks:
            x, until = one.since * width // 1000, one.until * width // 1000
            size = high * one.depth // 3
            box = Markup('<rect class="bar d{}" x="{}" y="{}" width="{}" height="{}">{}</rect>')
            drawn = box.format(one.depth, x, top + 18 + high - size, max(2, until - x), size, _title(one.told))
            marks.append(_linked(Mark(ZERO, "", one.told, one.href), drawn))
    return Drawing(width, above + each * len(rows), Markup("").join(marks))


# --- the ground of a curve ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plot:
    """Where values lie that run over time, and the lines behind them."""

    width: int
    most: Decimal
    unit: str
    left: int = 44
    above: int = 32
    high: int = 240

    @property
    def height(self) -> int:
        """All of it, pixels."""
        return self.above + self.high + 24

    @property
    def bottom(self) -> int:
        """Where nothing is."""
        return self.above + self.high

    def x(self, place: int, count: int) -> int:
        """Where a place of so many lies."""
        return self.left + place * (self.width - self.left) // count

    def y(self, value: Decimal) -> int:
        """How far down a value is."""
        return self.bottom - _pixels(value, scale(self.most)[-1], self.high)

    def grid(self) -> list[Markup]:
        """Lines at round values."""
        return _grid(scale(self.most), self.unit, self.left, self.width, self.above, self.high)

    def upright(self, x: int, name: Said | str) -> Markup:
        """A line where something begins, and its name."""
        return _line("grid", x, self.above, x, self.bottom + 4) + _text(x + 4, self.bottom + 16, name)

    def base(self) -> Markup:
        """The line at nothing."""
        return _line("base", self.left, self.bottom, self.width, self.bottom)

    def label(self, x: int, y: int, said: Said | str) -> Markup:
        """What a line is, above where it is highest; never out of the picture."""
        return _text(min(max(x, self.left + 44), self.width - 44), max(y - 8, 12), said, "mid over")


def reached(sides: tuple[int, int], plot: Plot, told: Said, href: str) -> Markup:
    """A stretch of a plot that leads somewhere, from one side to the other."""
    box = Markup('<rect class="reach" x="{}" y="{}" width="{}" height="{}">{}</rect>')
    drawn = box.format(sides[0], plot.above, sides[1] - sides[0], plot.high, _title(told))
    return _linked(Mark(ZERO, "", "", href), drawn)


# --- what they share ----------------------------------------------------------------------------------------------


def scale(most: Decimal) -> list[Decimal]:
    """Round values from nothing to at least the most, four steps or fewer."""
    if most <= 0:
        return [ZERO, Decimal(1)]
    size = Decimal(1).scaleb(most.adjusted() - 1)
    step = next(size * one for one in (1, 2, 5, 10, 20, 25, 50, 100) if size * one * 4 >= most)
    ticks = [ZERO]
    while ticks[-1] < most:
        ticks.append(ticks[-1] + step)
    return ticks


def _pixels(value: Decimal, most: Decimal, high: int) -> int:
    """How high a value is; what is more than nothing is seen."""
    if value <= 0 or most <= 0:
        return 0
    return max(1, int(divided(value * high, most)))


def _grid(ticks: Sequence[Decimal], unit: str, left: int, width: int, above: int, high: int) -> list[Markup]:
    """Lines at round values, each with its figure; the highest with the unit."""
    marks = []
    for tick in ticks[1:]:
        y = above + high - _pixels(tick, ticks[-1], high)
        marks.append(_line("grid", left, y, width, y))
        places = max(0, -int(tick.normalize().as_tuple().exponent))
        marks.append(_text(left - 6, y + 4, Figure(tick, places), "end"))
    return [*marks, _text(left - 6, above - 10, unit, "end")]


def _text(x: int, y: int, said: Said | str, css: str = "") -> Markup:
    """A text; ``css``: how it looks."""
    return Markup('<text x="{}" y="{}"{}>{}</text>').format(
        x, y, Markup(' class="{}"').format(css) if css else "", tell(said)
    )


def _fitting(said: Said | str, room: int) -> str:
    """As much of a text as there is room for, pixels."""
    text = str(tell(said))
    return text if 7 * len(text) <= room else text[: max(room // 7 - 1, 1)].rstrip(" ,") + "…"


def _line(css: str, x: int, y: int, to_x: int, to_y: int) -> Markup:
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(css, x, y, to_x, to_y)


def _title(said: Said | str) -> Markup:
    return Markup("<title>{}</title>").format(tell(said))


def _linked(one: Mark, drawn: Markup) -> Markup:
    """A mark that leads somewhere; who uses keys has the table for it."""
    return Markup('<a href="{}" tabindex="-1">{}</a>').format(one.href, drawn) if one.href else drawn
