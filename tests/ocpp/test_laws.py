"""Laws for everything that can arrive: no exception, one answer, the fast and the careful reading agree."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ocpp.messages import CASES, IDS, MESSAGES
from tests.ocpp.talk import ANSWER, link
from wattkeeper.charging.deviation import SENTENCES, Deviation
from wattkeeper.charging.orders import Reset
from wattkeeper.charging.station import Version
from wattkeeper.ocpp import schemas
from wattkeeper.ocpp.dialect import Unreadable
from wattkeeper.ocpp.hearing import hear
from wattkeeper.ocpp.link import Asked, Bad, Settled, Stray
from wattkeeper.ocpp.v16.dialect import ACTIONS as ACTIONS_16
from wattkeeper.ocpp.v201.dialect import ACTIONS as ACTIONS_201

ACTIONS = {Version.V16: ACTIONS_16, Version.V201: ACTIONS_201}
VERSIONS = st.sampled_from(list(Version))

NUMBERS = st.one_of(st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False))
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "",
            "1",
            "-1.5",
            "1,5",
            "NaN",
            "true",
            "Accepted",
            "L1-L2",
            "kwh",
            "2026-03-01T10:00:00",
            "1772359200",
            "\0",
            "\u202e",
        ]
    ),
    st.datetimes().map(str),
    st.decimals(allow_nan=True).map(str),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def check(frame: str | bytes, version: Version) -> Asked | Settled | Stray | Bad:
    """Feed a frame to a link with an order in flight; whatever comes back is whole and can be kept and sent."""
    talk = link(version)
    talk.ask("k", Reset())
    talk.outgoing(0.0)
    got = talk.receive(frame)
    if isinstance(got, Asked):
        assert orjson.loads(talk.answer(got, ANSWER))[:2] == [3, got.call_id]
        assert orjson.dumps(dict(got.heard.words))
        assert orjson.dumps(dict(got.heard.hidden))
        fact = got.heard.fact
        assert msgspec.json.decode(msgspec.json.encode(fact), type=type(fact)) == fact
        assert {*fact.deviations} <= {deviation.value for deviation in Deviation}
    elif isinstance(got, Settled):
        assert orjson.dumps(dict(got.settlement.words))
        assert len(got.settlement.summary) <= 200
    else:
        assert got.reply is None or orjson.loads(got.reply)[0] == 4
        if isinstance(got, Bad):
            assert msgspec.json.encode(got.fact)
            assert orjson.dumps(dict(got.hidden))
    return got


@given(VERSIONS, st.one_of(st.text(max_size=200), st.binary(max_size=200)))
def test_any_text_and_any_bytes(version: Version, frame: str | bytes) -> None:
    check(frame, version)


@given(VERSIONS, JSON)
def test_any_json(version: Version, value: Any) -> None:
    check(orjson.dumps(value), version)


@given(VERSIONS, st.lists(JSON, min_size=1, max_size=6), st.sampled_from([2, 3, 4, 1, 2.0, "2", None]))
def test_any_envelope(version: Version, rest: list[Any], kind: Any) -> None:
    check(orjson.dumps([kind, *rest]), version)


@given(st.sampled_from(CASES), JSON)
def test_any_payload(case: tuple[Version, str], payload: Any) -> None:
    version, action = case
    assert isinstance(check(orjson.dumps([2, "m1", action, payload]), version), (Asked, Bad))


@given(st.sampled_from([3, 4]), st.lists(JSON, max_size=4), VERSIONS)
def test_any_answer(kind: int, rest: list[Any], version: Version) -> None:
    assert isinstance(check(orjson.dumps([kind, "o1", *rest]), version), Settled)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    for step, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        found += places(inner, (*path, step))
    return found


@st.composite
def mutilated(draw: st.DrawFn) -> tuple[Version, str, Any]:
    """A correct message in which a few places were replaced, removed or doubled."""
    version, action = draw(st.sampled_from([case for case in CASES if MESSAGES[case[0]][case[1]]]))
    message = deepcopy(MESSAGES[version][action])
    for _ in range(draw(st.integers(1, 4))):
        found = places(message)
        if not found:
            break
        *path, last = draw(st.sampled_from(found))
        place: Any = message
        for step in path:
            place = place[step]
        match draw(st.sampled_from(["replace", "remove", "wrap", "add"])):
            case "replace":
                place[last] = draw(JSON)
            case "remove":
                del place[last]
            case "wrap":
                place[last] = [place[last]]
            case "add" if isinstance(place, dict):
                place[draw(TEXTS)] = draw(JSON)
    return version, action, message


@settings(max_examples=300)
@given(mutilated())
def test_any_mutilation_of_a_message(case: tuple[Version, str, Any]) -> None:
    version, action, message = case
    assert isinstance(check(orjson.dumps([2, "m1", action, message]), version), (Asked, Bad))


def undotted(value: Any) -> Any:
    """The same message with whole numbers written without a point: 1.0 is 1 in JSON (RFC 8259 6)."""
    if isinstance(value, dict):
        return {name: undotted(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [undotted(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


@settings(max_examples=300)
@given(mutilated())
def test_what_fits_the_official_schema_is_always_understood(case: tuple[Version, str, Any]) -> None:
    """And only what a person may not read, or what the schema cannot say, makes it deviate."""
    version, action, message = case
    try:
        correct = schemas.validator(version, action, "request").is_valid(undotted(message))
    except ValueError:
        correct = False
    got = check(orjson.dumps([2, "m1", action, message]), version)
    if correct and "connectorId" not in message and "evseId" not in message:
        assert isinstance(got, Asked)
    if isinstance(got, Asked) and not got.heard.fact.deviations:
        assert correct


@settings(max_examples=300)
@given(mutilated())
def test_the_fast_and_the_careful_reading_agree(case: tuple[Version, str, Any]) -> None:
    version, action, message = case
    known, shape = ACTIONS[version][action], schemas.shape(version, action, "request")
    plain = schemas.plain(version, action)
    if known.plain and known.tokened not in shape.required and plain.is_valid(message):
        assert schemas.validator(version, action, "request").is_valid(message)
    try:
        fast = hear(known, shape, plain if known.plain else None, message)
    except Unreadable:
        fast = None
    try:
        careful = hear(known, shape, None, message)
    except Unreadable:
        careful = None
    assert fast == careful


@pytest.mark.parametrize(("version", "action"), CASES, ids=IDS)
def test_the_fast_reading_takes_what_has_nothing_to_hide(version: Version, action: str) -> None:
    """A correct message without texts is plain where its action may be; else the fast path would be dead."""
    known = ACTIONS[version][action]
    if not known.plain:
        return
    message = {
        name: deepcopy(value)
        for name, value in MESSAGES[version][action].items()
        if name not in {"idTag", "idToken", "info", "vendorId", "vendorErrorCode"}
    }
    if action == "TransactionEvent":
        del message["meterValue"][0]["sampledValue"][0]["signedMeterValue"]
    assert schemas.plain(version, action).is_valid(message)
    heard = hear(known, schemas.shape(version, action, "request"), schemas.plain(version, action), message)
    assert "idTag" in MESSAGES[version][action] or heard.words is message


def test_every_deviation_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Deviation)
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())
    assert len(set(SENTENCES.values())) == len(SENTENCES)
