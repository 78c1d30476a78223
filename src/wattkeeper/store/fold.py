"""Sessions as folded: saved, and found by id, by transaction, by natural key, by place and by token."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import BigInteger, cast, func, select

from wattkeeper.charging.evidence import grade
from wattkeeper.charging.identifiers import IMPORTED
from wattkeeper.charging.session import Session, SessionState
from wattkeeper.store.columns import EPOCH, from_micros, to_micros, to_millionths
from wattkeeper.store.tables import session as table
from wattkeeper.store.unit import Unit

_ENCODER = msgspec.json.Encoder(enc_hook=str)  # a phrase is kept in English
_decode = msgspec.json.Decoder(Session).decode
_BY_HEART: dict[str, Session] = {}
"""Texts written a moment ago and what they say: looked up by the text itself, so never out of date."""
MOST_BY_HEART = 4096


def encode(session: Session) -> str:
    """A session as its ``fold`` column has it."""
    text = _ENCODER.encode(session).decode()
    if len(_BY_HEART) >= MOST_BY_HEART:
        _BY_HEART.clear()
    _BY_HEART[text] = session
    return text


def decode(text: str) -> Session:
    """A session of its ``fold`` column."""
    return _BY_HEART.pop(text, None) or _decode(text)


class Kept(NamedTuple):
    """A session and our times when it was first and last heard of."""

    session: Session
    known_at: datetime
    heard_at: datetime
    n: int
    """The newest journal entry folded in."""


MOST = 9 * 10**12
"""What a column holds; no session comes near, a hostile station that restarts its register might."""
PROGRESS = ("grade", "energy_wh", "power_w", "heard_at", "last_n", "fold")
"""What changes while a session goes on; no index holds any of it, so writing it touches one page."""
_FIXED = attrgetter("evse", "connector", "ref", "token", "state", "started_at", "ended_at")


def save(unit: Unit, kept: Kept, stored: Kept | None) -> None:
    """Set the session's row at the unit's next flush; ``stored`` is how the store has it, None where it has not."""
    session = kept.session
    energy, power = session.energy_wh, session.track.power_w
    progress = (
        grade(session).value,
        _listed(energy),
        _listed(power) if session.is_live else None,
        to_micros(kept.heard_at),
        kept.n,
        encode(session),
    )
    if stored is not None and stored.known_at == kept.known_at and _FIXED(stored.session) == _FIXED(session):
        unit.update(table, PROGRESS, (session.id,), progress)
    else:
        unit.upsert(table, (session.id,), _whole(kept, *progress))


def _listed(value: Decimal | None) -> int | None:
    """A sum or product of what was told, as it is listed; the fold has it even where a column cannot hold it."""
    return None if value is None or not -MOST < value < MOST else to_millionths(value)


def _whole(kept: Kept, grade: str, energy: int | None, power: int | None, *rest: object) -> tuple[object, ...]:
    """The whole row."""
    s, ended_at = kept.session, kept.session.ended_at
    place = (s.id, s.station, s.evse, s.connector, s.key, s.ref, s.token, s.state.value, s.is_live, grade)
    ended = None if ended_at is None else to_micros(ended_at)
    return (*place, to_micros(s.started_at), ended, energy, power, to_micros(kept.known_at), *rest)


_COLUMNS = "SELECT fold, known_at, heard_at, last_n FROM session"


def _kept(rows: Iterable[Any]) -> list[Kept]:
    return [Kept(decode(fold), from_micros(known), from_micros(heard), n) for fold, known, heard, n in rows]


async def concerned(
    unit: Unit,
    *,
    refs: Collection[str] = (),
    keys: Collection[str] = (),
    stations: Collection[str] = (),
    tokens: Collection[str] = (),
) -> list[Kept]:
    """Sessions with one of these transaction ids or natural keys; and those live at stations or on tokens."""
    ways = (
        f"{_COLUMNS} WHERE ref IN {{refs}}",
        f"{_COLUMNS} WHERE key IN {{keys}}",
        f"{_COLUMNS} WHERE live AND station_id IN {{stations}}",
        f"{_COLUMNS} WHERE live AND token IN {{tokens}}",
    )
    lists = {"refs": [*refs], "keys": [*keys], "stations": [*stations], "tokens": [*tokens]}
    return _kept(await unit.select_lists(" UNION ALL ".join(ways), **lists))


async def by_ids(unit: Unit, ids: Collection[str]) -> list[Kept]:
    """The sessions with these ids."""
    return _kept(await unit.select_in(f"{_COLUMNS} WHERE id IN {{values}}", [*ids]))


async def taken(unit: Unit, names: Collection[str]) -> set[str]:
    """Which of these are a session's id or transaction id already."""
    both = "SELECT id FROM session WHERE id IN {values} UNION ALL SELECT ref FROM session WHERE ref IN {values}"
    return {name for (name,) in await unit.select_in(both, [*names])}


_C = table.c
_KEPT = select(_C.fold, cast(_C.known_at, BigInteger), cast(_C.heard_at, BigInteger), _C.last_n)


async def has_ended_on(unit: Unit, token: str, station: str, evse: int, beside: str | None) -> bool:
    """Whether a session on a token at an EVSE has ended, other than this one."""
    here = (_C.token == token, _C.station_id == station, (_C.evse == evse) | _C.evse.is_(None), ~_C.live)
    return await unit.connection.scalar(select(_C.id).where(*here, _C.id != (beside or "")).limit(1)) is not None


HISTORY = func.substr(_C.key, 1, len(IMPORTED)) == IMPORTED
"""Whether a session was imported: nothing that stations tell is about it."""
LONGEST = timedelta(days=60)
"""How far back a session is looked for that a nameless message may mean: the index of starts bounds the look."""


async def ending(unit: Unit, station: str, at: datetime) -> list[Kept]:
    """The station's newest sessions begun before an instant whose true end was not told, or told for that instant."""
    began = _C.started_at.between(_back(at), at)
    which = _KEPT.where(_C.station_id == station, began, (_C.state != SessionState.ENDED.value) | (_C.ended_at == at))
    return _kept(await unit.connection.execute(which.where(~HISTORY).order_by(_C.started_at.desc()).limit(50)))


async def covering(unit: Unit, station: str, evse: int, at: datetime) -> list[Kept]:
    """The newest ended session that ran at this EVSE at this instant, if any."""
    began = _C.started_at.between(_back(at), at)
    which = _KEPT.where(_C.station_id == station, _C.evse == evse, began, _C.ended_at >= at, ~HISTORY)
    return _kept(await unit.connection.execute(which.order_by(_C.started_at.desc(), _C.id.desc()).limit(1)))


def _back(at: datetime) -> datetime:
    return max(at, EPOCH + LONGEST) - LONGEST
