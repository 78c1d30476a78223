"""What was said on the phone, in English or German: an id, a card's last two, a state, a day, an hour, a station."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.identifiers import parse
from wattkeeper.charging.session import SessionState

STATES = {
    "live": "live",
    "running": "live",
    "now": "live",
    "charging": SessionState.CHARGING.value,
    "open": SessionState.OPEN.value,
    "paused": SessionState.SUSPENDED.value,
    "suspended": SessionState.SUSPENDED.value,
    "estimated": SessionState.ESTIMATED.value,
    "ended": SessionState.ENDED.value,
    "finished": SessionState.ENDED.value,
    "läuft": "live",
    "jetzt": "live",
    "lädt": SessionState.CHARGING.value,
    "eingesteckt": SessionState.OPEN.value,
    "pausiert": SessionState.SUSPENDED.value,
    "geschätzt": SessionState.ESTIMATED.value,
    "beendet": SessionState.ENDED.value,
}
GRADES = {grade.value: grade for grade in Grade} | {
    "geprüft": Grade.VERIFIED,
    "gemessen": Grade.MEASURED,
    "rekonstruiert": Grade.RECONSTRUCTED,
    "strittig": Grade.DISPUTED,
}
_DAYS = (
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    ("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"),
)
DAYS = {word: day for words in _DAYS for day, word in enumerate(words)}
AGO = {"today": 0, "yesterday": 1, "heute": 0, "gestern": 1, "vorgestern": 2}
"""Days by how many lie between."""
_HOURS = (
    ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    ("eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"),
)
HOURS = {word: hour for words in _HOURS for hour, word in enumerate(words, 1)}
PARTS = {"morning": (5, 12), "noon": (11, 14), "afternoon": (12, 18), "evening": (17, 23), "night": (21, 30)}
PARTS |= {"früh": (5, 12), "morgen": (5, 12), "vormittag": (5, 12), "mittag": (11, 14), "nachmittag": (12, 18)}
PARTS |= {"abend": (17, 23), "nacht": (21, 30)}
PARTS |= {f"{word}s": PARTS[word] for word in ("morgen", "vormittag", "mittag", "nachmittag", "abend", "nacht")}
BEFORE_HOURS = frozenset({"at", "around", "about", "um", "gegen", "etwa", "halb"})
"""What stands before an hour; half past is near enough to the hour that it is called by."""
FILLERS = frozenset(
    {"on", "the", "a", "in", "session", "sessions", "station", "card", "from", "last", "this", "ending", "with"}
    | {"am", "an", "der", "die", "das", "den", "dem", "im", "von", "mit", "uhr", "ladevorgang", "ladevorgänge", "karte"}
    | {"letzten", "letzte", "letzter", "diesen", "diese", "dieser", "endet", "auf"}
)
_HOUR = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?(am|pm|uhr)?")
_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})?")
_CARD = re.compile(r"[•*.]+([0-9A-Z]{2})|([0-9A-F]{2})", re.IGNORECASE)

Window = tuple[datetime, datetime]
"""From an instant on, until before another."""


@dataclass(frozen=True, slots=True)
class Said:
    """What was understood; None where nothing was said about it."""

    session: str | None = None
    card: str | None = None
    """The last two characters of a card."""
    state: str | None = None
    """A session state, or ``live`` for any that still runs."""
    grade: Grade | None = None
    words: tuple[str, ...] = ()
    """What is left: parts of station names."""
    day: date | None = None
    hour: float | None = None
    """The hour that was said, 6.5 for half past six."""
    is_sure: bool = False
    """Whether the hour can only be that of the morning, or only that of the evening."""
    part: tuple[int, int] | None = None
    """A part of the day, from hour to hour."""

    def windows(self, now: datetime, zone: tzinfo) -> tuple[Window, ...]:
        """The times of which any was meant; none where no time was said."""
        if self.day is None and self.hour is None and self.part is None:
            return ()
        midnight = datetime.combine(self.day or now.astimezone(zone).date(), time(), zone)
        if not 1970 <= midnight.year < 9990:
            return ()
        return tuple((midnight + timedelta(hours=a), midnight + timedelta(hours=b)) for a, b in self._spans())

    def _spans(self) -> list[tuple[float, float]]:
        """From hour to hour of the day; an hour said in words may be that of the morning or of the evening."""
        if self.hour is None:
            return [self.part or (0, 24)]
        hours = [self.hour] if self.is_sure or self.hour > 12 else [self.hour % 12, self.hour % 12 + 12]
        if self.part:
            hours = [h for h in hours if self.part[0] <= h < self.part[1]] or hours
        return [(max(0.0, h - 1), h + 1.5) for h in hours]


def understand(text: str, today: date) -> Said:
    """What a sentence such as ``K7QM 4XRD 2`` or ``yesterday around six, card 7F`` asks for."""
    joined = re.sub(r"(\d)\s+([ap]m|uhr)\b", r"\1\2", text.strip()[:200], flags=re.IGNORECASE)
    words = [word for word in re.split(r"[\s,;]+", joined) if word]
    said, before = Said(session=_spoken(words)), ""
    for word in [] if said.session else words:
        if word.lower() not in FILLERS | BEFORE_HOURS:
            said = _take(said, word, before, today)
        before = word.lower()
    return said


def _spoken(words: list[str]) -> str | None:
    """The session id that stands somewhere in these words, however it was broken up."""
    for start in range(len(words)):
        for end in range(start + 1, min(start + 9, len(words)) + 1):
            identifier = parse("".join(words[start:end]))
            if identifier:
                return identifier
    return None


def misheard(text: str) -> bool:
    """Whether this looks like a session id with a wrong character in it."""
    symbols = re.sub(r"[\s\-\u2010-\u2013]", "", text)
    return bool(re.fullmatch(r"(?=.*\d)[0-9A-Za-z]{9}", symbols)) and parse(symbols) is None


def _take(said: Said, word: str, before: str, today: date) -> Said:
    """One more word, by the first reading that fits; a bare number is an hour only after a word such as *around*."""
    is_bare = word.isdigit() and before not in BEFORE_HOURS
    for reading in (_as_state, _as_day, _as_card) if is_bare else (_as_state, _as_day, _as_hour, _as_card):
        taken = reading(said, word, today)
        if taken is not None:
            return taken
    return replace(said, words=(*said.words, word))


def _as_state(said: Said, word: str, _today: date) -> Said | None:
    lower = word.lower()
    if lower in GRADES:
        return replace(said, grade=GRADES[lower])
    return replace(said, state=STATES[lower]) if lower in STATES else None


def _as_day(said: Said, word: str, today: date) -> Said | None:
    lower = word.lower()
    if lower in AGO:
        return replace(said, day=today - timedelta(days=AGO[lower]))
    if lower in DAYS:
        back = (today.weekday() - DAYS[lower]) % 7 or 7
        return replace(said, day=today - timedelta(days=back))
    if lower in PARTS:
        return replace(said, part=PARTS[lower])
    try:
        return replace(said, day=_date(word, today))
    except ValueError:
        return None


def _date(word: str, today: date) -> date:
    """``2025-11-03``, ``3.11.2025``, or ``3.11.`` for the last of that name; ValueError where it is none."""
    found = _DATE.fullmatch(word)
    if found is None:
        return date.fromisoformat(word)
    day, month, year = int(found[1]), int(found[2]), int(found[3] or today.year)
    named = date(year, month, day)
    return named if found[3] or named <= today else named.replace(year=year - 1)


def _as_hour(said: Said, word: str, _today: date) -> Said | None:
    """``six``, ``6pm``, ``18:30``, ``6 Uhr``."""
    lower = word.lower()
    if lower in HOURS:
        return replace(said, hour=float(HOURS[lower]))
    found = _HOUR.fullmatch(lower)
    if not found:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    is_half = found[3] in ("am", "pm")
    if is_half:
        hour = hour % 12 + (12 if found[3] == "pm" else 0)
    is_sure = bool(found[2]) or is_half
    return replace(said, hour=hour + minute / 60, is_sure=is_sure) if hour < 24 and minute < 60 else None


def _as_card(said: Said, word: str, _today: date) -> Said | None:
    found = _CARD.fullmatch(word)
    return replace(said, card=(found[1] or found[2]).upper()) if found else None
