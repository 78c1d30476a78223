"""One conversation with one station, without a socket: ids, calls in flight, time-outs (OCPP-J 4.1).

The gateway feeds frames in and sends out what comes back. One CALL of ours is in flight at a time; the others queue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from wattkeeper.charging.answer import Answer
from wattkeeper.charging.facts import Garbled, SessionOpened
from wattkeeper.charging.orders import Order, Outcome, Settlement
from wattkeeper.charging.phrase import phrase
from wattkeeper.ocpp.commands import tokens_in
from wattkeeper.ocpp.dialect import Dialect, ErrorCode, Heard, Unreadable
from wattkeeper.ocpp.frame import (
    Alien,
    Call,
    Error,
    Malformed,
    Result,
    call_frame,
    error_frame,
    excerpt,
    parse,
    result_frame,
)
from wattkeeper.ocpp.hearing import flagged
from wattkeeper.ocpp.settling import refused


@dataclass(frozen=True, slots=True)
class Asked:
    """The station calls us."""

    call_id: str
    action: str
    heard: Heard


@dataclass(frozen=True, slots=True)
class Settled:
    """The station answered, refused or left unanswered one of our calls; `key` is the caller's name for the order."""

    key: str
    settlement: Settlement


@dataclass(frozen=True, slots=True)
class Stray:
    """An answer to nothing we asked, a late one, an odd message type: to be dropped; send `reply` if there is one."""

    problem: str
    reply: str | None


@dataclass(frozen=True, slots=True)
class Bad:
    """What cannot be read: record `fact` with `hidden`, then send `reply` if there is one; the link stays."""

    fact: Garbled
    hidden: Mapping[str, object] = field(repr=False)
    reply: str | None


@dataclass(frozen=True, slots=True)
class _Said:
    """An order in this version's words."""

    key: str
    order: Order = field(repr=False)
    action: str
    payload: dict[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Flight:
    """A call on the wire, until `deadline` (seconds on the caller's clock)."""

    call_id: str
    said: _Said
    deadline: float


class Link:
    """One conversation. Times are seconds on any one clock of the caller's; `new_id` gives ids never used before."""

    def __init__(self, dialect: Dialect, new_id: Callable[[], str], timeout_s: float = 30.0) -> None:
        self._dialect = dialect
        self._new_id = new_id
        self._timeout_s = timeout_s
        self._queue: deque[_Said] = deque()
        self._flight: _Flight | None = None

    def receive(self, frame: str | bytes) -> Asked | Settled | Stray | Bad:
        """Understand a frame; raises nothing, whatever it holds."""
        try:
            message = parse(frame)
        except Malformed as problem:
            return self._garbled(problem, frame)
        match message:
            case Call():
                return self._asked(message, frame)
            case Result():
                return self._answered(message)
            case Error():
                return self._refused(message)
            case Alien():
                return self._stray(message)

    def answer(self, asked: Asked, answer: Answer) -> str:
        """The CALLRESULT for a call that was recorded; a session's id is told where it began, not with every event."""
        if answer.session is not None and not isinstance(asked.heard.fact, SessionOpened):
            answer = replace(answer, session=None)
        return result_frame(asked.call_id, self._dialect.reply(asked.action, answer))

    def refuse(self, asked: Asked, code: ErrorCode, description: str) -> str:
        """The CALLERROR for a call that is not accepted."""
        return error_frame(self._dialect.version, asked.call_id, code, description)

    def ask(self, key: str, order: Order) -> None:
        """Queue an order under the caller's key; raises `Refusal` where this version cannot say it."""
        action, payload = self._dialect.write(order)
        self._queue.append(_Said(key, order, action, payload))

    def outgoing(self, now: float) -> str | None:
        """The next call to put on the wire; None while one is in flight or nothing is queued."""
        if self._flight is not None or not self._queue:
            return None
        said = self._queue.popleft()
        self._flight = _Flight(self._new_id(), said, now + self._timeout_s)
        return call_frame(self._flight.call_id, said.action, said.payload)

    def expired(self, now: float) -> list[Settled]:
        """The calls that the station left unanswered past their time."""
        flight = self._flight
        if flight is None or now < flight.deadline:
            return []
        self._flight = None
        return [
            Settled(flight.said.key, Settlement(Outcome.TIMEOUT, {}, phrase("The station did not answer in time.")))
        ]

    @property
    def deadline(self) -> float | None:
        """When `expired` should next be asked; None while nothing is in flight."""
        return None if self._flight is None else self._flight.deadline

    def abandon(self) -> list[str]:
        """The keys of everything in flight or queued, which is forgotten: the socket is gone."""
        keys = [self._flight.said.key] if self._flight is not None else []
        keys += [said.key for said in self._queue]
        self._flight = None
        self._queue.clear()
        return keys

    def redacted(self, order: Order) -> dict[str, object]:
        """The payload of the order's command, safe to keep; raises `Refusal` as `ask` does."""
        return self._dialect.redact(*self._dialect.write(order))

    def _asked(self, call: Call, frame: str | bytes) -> Asked | Bad:
        try:
            heard = self._dialect.read(call.action, call.payload)
        except Unreadable as problem:
            # names of our own schemas only: what the station called its action could be anything
            known = call.action if problem.code is not ErrorCode.NOT_IMPLEMENTED else None
            return self._garbled(Malformed(problem.code, problem.description, call.call_id, action=known), frame)
        if call.codes:
            heard = replace(heard, fact=flagged(heard.fact, call.codes))
        return Asked(call.call_id, call.action, heard)

    def _garbled(self, problem: Malformed, frame: str | bytes) -> Bad:
        reply = None
        if problem.answerable:
            reply = error_frame(self._dialect.version, problem.call_id, problem.code, problem.problem)
        return Bad(Garbled(problem=str(problem.problem), action=problem.action), {"frame": excerpt(frame)}, reply)

    def _answered(self, result: Result) -> Settled | Stray:
        said = self._land(result.call_id)
        if said is None:
            return Stray("An answer came to nothing that is in flight.", None)
        payload = [] if result.payload is None else result.payload
        if isinstance(payload, list) and (not payload or (len(payload) == 1 and isinstance(payload[0], Mapping))):
            payload = payload[0] if payload else {}
        if not isinstance(payload, Mapping):
            return Settled(said.key, Settlement(Outcome.ERROR, {}, phrase("The station's answer is not an object.")))
        return Settled(said.key, self._dialect.settle(said.order, said.action, payload))

    def _refused(self, error: Error) -> Settled | Stray:
        said = self._land(error.call_id)
        if said is None:
            return Stray("A refusal came to nothing that is in flight.", None)
        return Settled(said.key, refused(error.code, error.description, error.details, tokens_in(said.payload)))

    def _stray(self, alien: Alien) -> Stray:
        """2.0.1 part 4 4.4 answers unknown message types; 1.6-J 4.1.3 leaves it open, and a station may wait for it."""
        reply = None
        if alien.call_id is not None:
            reply = error_frame(self._dialect.version, alien.call_id, ErrorCode.MESSAGE_TYPE, alien.problem)
        return Stray(alien.problem, reply)

    def _land(self, call_id: str) -> _Said | None:
        """The order in flight under an id, which lands."""
        flight = self._flight
        if flight is None or flight.call_id != call_id:
            return None
        self._flight = None
        return flight.said
