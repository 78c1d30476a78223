"""One conversation: calls queue, one flies at a time, answers find their order, time runs out, the socket goes."""

from __future__ import annotations

import orjson
import pytest

from tests.ocpp.talk import ANSWER, link
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.orders import Outcome, Reset, ResetKind, ShowMessage, StartCharging, Trigger, Unlock
from wattkeeper.charging.station import Version
from wattkeeper.ocpp.dialect import ErrorCode
from wattkeeper.ocpp.link import Asked, Link, Settled, Stray

HEARTBEAT = '[2,"m1","Heartbeat",{}]'


def settled(talk: Link, frame: str) -> tuple[str, Outcome, str]:
    got = talk.receive(frame)
    assert isinstance(got, Settled), got
    return got.key, got.settlement.outcome, got.settlement.summary


def test_one_call_at_a_time_in_the_order_of_asking() -> None:
    talk = link()
    assert talk.outgoing(0.0) is None
    talk.ask("a", Reset())
    talk.ask("b", Unlock(evse=1))
    assert talk.outgoing(0.0) == '[2,"o1","Reset",{"type":"Soft"}]'
    assert talk.outgoing(1.0) is None
    assert settled(talk, '[3,"o1",{"status":"Accepted"}]') == ("a", Outcome.ACCEPTED, "Accepted")
    assert talk.outgoing(2.0) == '[2,"o2","UnlockConnector",{"connectorId":1}]'
    assert settled(talk, '[3,"o2",{"status":"UnlockFailed"}]') == ("b", Outcome.REJECTED, "UnlockFailed")
    assert talk.outgoing(3.0) is None


def test_the_station_may_call_while_it_owes_an_answer() -> None:
    talk = link()
    talk.ask("a", Reset())
    talk.outgoing(0.0)
    asked = talk.receive(HEARTBEAT)
    assert isinstance(asked, Asked)
    assert talk.answer(asked, ANSWER) == '[3,"m1",{"currentTime":"2026-03-01T12:00:00.123Z"}]'
    assert settled(talk, '[3,"o1",{"status":"Accepted"}]')[0] == "a"


def test_a_call_error_settles_an_order() -> None:
    talk = link()
    talk.ask("a", Reset())
    talk.outgoing(0.0)
    got = talk.receive('[4,"o1","NotSupported","no such thing",{"x":1}]')
    assert isinstance(got, Settled)
    assert (got.settlement.outcome, got.settlement.summary) == (Outcome.ERROR, "NotSupported: no such thing")
    assert got.settlement.words == {"code": "NotSupported", "description": "no such thing", "details": {"x": 1}}


@pytest.mark.parametrize("frame", ['[4,"o1"]', '[4,"o1",null,5]', '[4,"o1","",""]', '[4,"o1",{},[],null]'])
def test_a_call_error_of_any_shape_settles_an_order(frame: str) -> None:
    talk = link()
    talk.ask("a", Reset())
    talk.outgoing(0.0)
    assert settled(talk, frame) == ("a", Outcome.ERROR, "CALLERROR")


@pytest.mark.parametrize(
    ("payload", "outcome"),
    [
        ('{"status":"Accepted"}', Outcome.ACCEPTED),
        ('[{"status":"Accepted"}]', Outcome.ACCEPTED),
        ("{}", Outcome.REJECTED),
        ("[]", Outcome.REJECTED),
        ("null", Outcome.REJECTED),
        ('"Accepted"', Outcome.ERROR),
        ("5", Outcome.ERROR),
        ("[1,2]", Outcome.ERROR),
    ],
)
def test_an_answer_of_any_shape_settles_an_order(payload: str, outcome: Outcome) -> None:
    talk = link()
    talk.ask("a", Reset())
    talk.outgoing(0.0)
    assert settled(talk, f'[3,"o1",{payload}]')[1] is outcome
    assert talk.deadline is None


def test_an_answer_without_payload_settles_an_order() -> None:
    talk = link()
    talk.ask("a", Reset())
    talk.outgoing(0.0)
    assert settled(talk, '[3,"o1"]') == ("a", Outcome.REJECTED, "The answer had no status.")


@pytest.mark.parametrize(
    "frame", ['[3,"x",{"status":"Accepted"}]', '[4,"x","E","d",{}]', "[3]", "[3,null,{}]", '[4,["o1"]]']
)
def test_an_answer_to_nothing_is_a_stray(frame: str) -> None:
    talk = link()
    talk.ask("a", Reset())
    assert isinstance(talk.receive(frame), Stray)
    talk.outgoing(0.0)
    got = talk.receive(frame)
    assert isinstance(got, Stray)
    assert got.reply is None
    assert settled(talk, '[3,"o1",{"status":"Accepted"}]')[0] == "a"


def test_an_answer_counts_once() -> None:
    talk = link()
    talk.ask("a", Reset())
    talk.outgoing(0.0)
    assert isinstance(talk.receive('[3,"o1",{"status":"Accepted"}]'), Settled)
    assert isinstance(talk.receive('[3,"o1",{"status":"Rejected"}]'), Stray)


def test_time_runs_out_and_the_next_call_flies() -> None:
    talk = link(timeout_s=30.0)
    assert (talk.deadline, talk.expired(1e9)) == (None, [])
    talk.ask("a", Reset())
    talk.ask("b", Reset(kind=ResetKind.HARD))
    assert talk.deadline is None
    talk.outgoing(100.0)
    assert talk.deadline == 130.0
    assert talk.expired(129.9) == []
    (late,) = talk.expired(130.0)
    assert (late.key, late.settlement.outcome, late.settlement.words) == ("a", Outcome.TIMEOUT, {})
    assert talk.expired(131.0) == []
    assert talk.deadline is None
    assert talk.outgoing(140.0) == '[2,"o2","Reset",{"type":"Hard"}]'
    assert talk.deadline == 170.0
    assert isinstance(talk.receive('[3,"o1",{"status":"Accepted"}]'), Stray)
    assert settled(talk, '[3,"o2",{"status":"Accepted"}]')[0] == "b"


def test_a_lost_socket_gives_back_the_keys() -> None:
    talk = link()
    assert talk.abandon() == []
    for key in ("a", "b", "c"):
        talk.ask(key, Reset())
    talk.outgoing(0.0)
    assert talk.abandon() == ["a", "b", "c"]
    assert (talk.abandon(), talk.outgoing(1.0), talk.deadline) == ([], None, None)


def test_what_cannot_be_said_is_refused_when_it_is_asked() -> None:
    talk = link()
    with pytest.raises(Refusal):
        talk.ask("a", ShowMessage(text="x", ref="1", message_id=1))
    assert talk.outgoing(0.0) is None


def test_a_call_can_be_refused_in_the_versions_spelling() -> None:
    for version, spelled in (
        (Version.V16, "OccurenceConstraintViolation"),
        (Version.V201, "OccurrenceConstraintViolation"),
    ):
        talk = link(version)
        asked = talk.receive(HEARTBEAT)
        assert isinstance(asked, Asked)
        assert orjson.loads(talk.refuse(asked, ErrorCode.OCCURRENCE, "why" * 200)) == [
            4,
            "m1",
            spelled,
            ("why" * 200)[:255],
            {},
        ]
        assert talk.refuse(asked, ErrorCode.SECURITY, "no") == '[4,"m1","SecurityError","no",{}]'


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_error_code_is_one_of_the_versions(version: Version, code: ErrorCode) -> None:
    shared = {
        "NotImplemented",
        "NotSupported",
        "InternalError",
        "ProtocolError",
        "SecurityError",
        "PropertyConstraintViolation",
        "TypeConstraintViolation",
        "GenericError",
    }
    own = {
        Version.V16: {"FormationViolation", "OccurenceConstraintViolation"},
        Version.V201: {
            "FormatViolation",
            "OccurrenceConstraintViolation",
            "RpcFrameworkError",
            "MessageTypeNotSupported",
        },
    }
    talk = link(version)
    asked = talk.receive(HEARTBEAT)
    assert isinstance(asked, Asked)
    assert orjson.loads(talk.refuse(asked, code, ""))[2] in shared | own[version]


def test_an_order_is_redacted_as_it_would_be_sent() -> None:
    assert link().redacted(StartCharging(uid="04A1B2C3", evse=1)) == {"connectorId": 1, "idTag": "•••"}
    assert link(Version.V201).redacted(StartCharging(uid="04A1B2C3", remote_start=5)) == {
        "idToken": {"idToken": "•••", "type": "ISO14443"},
        "remoteStartId": 5,
    }
    assert link().redacted(Trigger(message="Heartbeat")) == {"requestedMessage": "Heartbeat"}
    with pytest.raises(Refusal):
        link().redacted(Trigger(message="Nonsense"))
