"""Short ways to hold a conversation in tests: through `Link`, the front door of the room."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

import orjson

from wattkeeper.charging.answer import Answer
from wattkeeper.charging.facts import Fact
from wattkeeper.charging.station import Version
from wattkeeper.ocpp.dialect import Heard
from wattkeeper.ocpp.dialects import DIALECTS
from wattkeeper.ocpp.link import Asked, Bad, Link, Settled, Stray

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
ANSWER = Answer(now=NOW)


def link(version: Version = Version.V16, timeout_s: float = 30.0) -> Link:
    """A fresh conversation whose message ids count up from o1."""
    numbers = count(1)
    return Link(DIALECTS[version], lambda: f"o{next(numbers)}", timeout_s)


def receive(frame: Any, version: Version = Version.V16) -> Asked | Settled | Stray | Bad:
    """What a fresh link makes of a frame; anything but text and bytes is written as JSON first."""
    return link(version).receive(frame if isinstance(frame, (str, bytes)) else orjson.dumps(frame).decode())


def hear(action: str, payload: Any, version: Version = Version.V16) -> Heard:
    """What is heard in a call that must be understood."""
    got = receive([2, "m1", action, payload], version)
    assert isinstance(got, Asked), got
    return got.heard


def fact(action: str, payload: Any, version: Version = Version.V16) -> Any:
    """The fact in a call that must be understood."""
    found: Fact = hear(action, payload, version).fact
    return found


def refusal(frame: Any, version: Version = Version.V16) -> tuple[str, str, str]:
    """Id, code and description of the CALLERROR that a frame must be answered with."""
    got = receive(frame, version)
    assert isinstance(got, Bad), got
    assert got.reply is not None
    kind, call_id, code, description, details = orjson.loads(got.reply)
    assert (kind, details) == (4, {})
    return call_id, code, description


def reply(action: str, payload: Any, version: Version = Version.V16, answer: Answer = ANSWER) -> dict[str, Any]:
    """The CALLRESULT payload for a call that must be understood."""
    talk = link(version)
    asked = talk.receive(orjson.dumps([2, "m1", action, payload]).decode())
    assert isinstance(asked, Asked), asked
    kind, call_id, result = orjson.loads(talk.answer(asked, answer))
    assert (kind, call_id) == (3, "m1")
    found: dict[str, Any] = result
    return found
