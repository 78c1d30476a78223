"""What someone said on the phone, understood: a spoken id, a card's last two, a state, a day, an hour, a station."""

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
}
GRADES = {grade.value: grade for grade in Grade}
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOURS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
HOURS = {word: hour for hour, word in enumerate(_HOURS, 1)}
PARTS = {"morning": (5, 12), "noon": (11, 14), "afternoon": (12, 18), "evening": (17, 23), "night": (21, 30)}
BEFORE_HOURS = frozenset({"at", "around", "about"})
FILLERS = frozenset(
    {"on", "the", "a", "in", "session", "sessions", "station", "card", "from", "last", "this", "ending", "with"}
)
_HOUR = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?(am|pm)?")
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
    joined = re.sub(r"(\d)\s+([ap]m)\b", r"\1\2", text.strip()[:200], flags=re.IGNORECASE)
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
    if lower in ("today", "yesterday"):
        return replace(said, day=today - timedelta(days=lower == "yesterday"))
    if lower in DAYS:
        back = (today.weekday() - DAYS.index(lower)) % 7 or 7
        return replace(said, day=today - timedelta(days=back))
    if lower in PARTS:
        return replace(said, part=PARTS[lower])
    try:
        return replace(said, day=date.fromisoformat(word))
    except ValueError:
        return None


def _as_hour(said: Said, word: str, _today: date) -> Said | None:
    """``six``, ``6pm``, ``18:30``."""
    lower = word.lower()
    if lower in HOURS:
        return replace(said, hour=float(HOURS[lower]))
    found = _HOUR.fullmatch(lower)
    if not found:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    if found[3]:
        hour = hour % 12 + (12 if found[3] == "pm" else 0)
    is_sure = bool(found[2] or found[3])
    return replace(said, hour=hour + minute / 60, is_sure=is_sure) if hour < 24 and minute < 60 else None


def _as_card(said: Said, word: str, _today: date) -> Said | None:
    found = _CARD.fullmatch(word)
    return replace(said, card=(found[1] or found[2]).upper()) if found else None
