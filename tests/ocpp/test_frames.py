"""Hostile and broken frames: one clean answer or none, never an exception (B9, B11, B13, B17, Q07, Q08, Q49)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.ocpp.messages import MESSAGES
from tests.ocpp.talk import hear, link, receive, refusal
from wattkeeper.charging.facts import HeartBeaten, SessionEnded
from wattkeeper.charging.station import Version
from wattkeeper.ocpp.frame import parse
from wattkeeper.ocpp.link import Asked, Bad, Stray
from wattkeeper.ocpp.schemas import MOST_ITEMS

HEARTBEAT = '[2,"m1","Heartbeat",{}]'
FORMAT = {Version.V16: "FormationViolation", Version.V201: "FormatViolation"}
FRAMEWORK = {Version.V16: "FormationViolation", Version.V201: "RpcFrameworkError"}
STOP: dict[str, Any] = {"meterStop": 5, "timestamp": "2026-03-01T10:00:00Z", "transactionId": 7}
BOTH = pytest.mark.parametrize("version", list(Version))


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + closing * depth


def deep_data(depth: int) -> str:
    return f'[2,"m1","DataTransfer",{{"vendorId":"v","data":{nested(depth)}}}]'


# B9: depth


@BOTH
@pytest.mark.parametrize("depth", [17, 64, 1_100, 100_000])
@pytest.mark.parametrize(
    ("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]"), ("[", ""), ('{"a":[', "")]
)
def test_b9_a_deep_frame_is_refused_before_it_is_parsed(
    version: Version, depth: int, opening: str, closing: str
) -> None:
    assert refusal(opening * depth + "1" + closing * depth, version)[:2] == ("-1", FORMAT[version])


@BOTH
@pytest.mark.parametrize("depth", [15, 500, 1_100, 100_000])
def test_b9_depth_inside_of_a_payload(version: Version, depth: int) -> None:
    assert refusal(deep_data(depth), version)[:2] == ("-1", FORMAT[version])


@BOTH
def test_b9_what_is_just_deep_enough_is_read(version: Version) -> None:
    assert isinstance(receive(deep_data(14), version), (Asked, Bad))
    assert "deeper" not in str(receive(deep_data(14), version))
    assert "deeper" in str(receive(deep_data(15), version))


def test_b9_brackets_in_texts_are_not_depth() -> None:
    rubbish = "[[[[{{{{" * 40 + '\\"' + "[[[" * 20
    frame = '[2,"m1","DataTransfer",{"vendorId":"v","data":"' + rubbish + '"}]'
    assert isinstance(receive(frame), Asked)


def test_b9_many_shallow_brackets_are_not_depth() -> None:
    frame = '[2,"m1","DataTransfer",{"vendorId":"v","data":[' + ",".join(["[[],{}]"] * 20_000) + "]}]"
    assert isinstance(receive(frame, Version.V201), Asked)


@pytest.mark.parametrize(
    "text",
    [
        '"' + '\\"' * 400_000,
        "[" * 20 + '"' + '\\"' * 400_000,
        ("[" * 17 + '"') + "\\" * 800_001,
        '"[" ' * 200_000,
        "[]" * 400_000,
        "[" * 17 + "{}" * 400_000,
    ],
    ids=range(6),
)
def test_b9_the_depth_check_is_linear(text: str) -> None:
    """Each of these takes hours where the check is quadratic; no time is measured."""
    assert isinstance(receive(text), Bad)


# B11: characters


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("04A1\\u0000B2", "04A1B2"),
        ("\\u202e04A1B2", "04A1B2"),
        ("\\ufeff04A1B2", "04A1B2"),
        ("04A1B2\\u0010\\u000e", "04A1B2"),
        ("04A1😀B2", "04A1B2"),
        ("  04A1B2 ", "04A1B2"),
    ],
)
def test_b11_odd_characters_in_a_card_number(said: str, read: str) -> None:
    got = receive('[2,"m1","Authorize",{"idTag":"' + said + '"}]')
    assert isinstance(got, Asked)
    assert got.heard.token is not None
    assert got.heard.token.uid == read
    assert got.heard.words == {"idTag": "•••"}


def test_b11_a_lone_surrogate_is_no_json() -> None:
    assert refusal('[2,"m1","Authorize",{"idTag":"\\ud800"}]') == (
        "m1",
        "FormationViolation",
        "The frame is not valid JSON.",
    )
    assert isinstance(receive('[2,"m1","Authorize",{"idTag":"\ud800"}]'), Bad)


@pytest.mark.parametrize(
    "raw", [b'[2,"m1","Authorize",{"idTag":"\xc0\xaf"}]', b'[2,"m1","Authorize",{"idTag":"\xff"}]']
)
def test_b11_bytes_that_are_no_utf8(raw: bytes) -> None:
    assert refusal(raw)[:2] == ("m1", "FormationViolation")
    assert refusal(raw, Version.V201)[:2] == ("m1", "FormatViolation")


def test_b11_texts_lose_what_must_not_be_kept() -> None:
    boot = {"chargePointVendor": "Vol\u0000ta\u202e", "chargePointModel": "Säule\u00a022 😀", "firmwareVersion": "1\n2"}
    heard = hear("BootNotification", boot)
    assert (heard.fact.vendor, heard.fact.model, heard.fact.firmware) == ("Volta", "Säule 22 😀", "1 2")  # type: ignore[attr-defined]
    assert heard.fact.deviations == ("odd_characters",)
    assert heard.words["chargePointVendor"] == "Volta"


def test_a_byte_order_mark_and_bytes_are_read() -> None:
    for frame in ("\ufeff" + HEARTBEAT, ("\ufeff" + HEARTBEAT).encode()):
        got = receive(frame)
        assert isinstance(got, Asked)
        assert got.heard.fact == HeartBeaten(deviations=("byte_order_mark",))


@pytest.mark.parametrize(
    "frame", [HEARTBEAT + "\r\n", "  " + HEARTBEAT + " ", HEARTBEAT + "\0", HEARTBEAT.encode() + b"\0\0"]
)
def test_what_stands_around_a_frame_is_dropped(frame: Any) -> None:
    got = receive(frame)
    assert isinstance(got, Asked)
    assert got.heard.fact == HeartBeaten()


def test_raw_control_characters_in_a_text_do_not_cost_a_session_its_end() -> None:
    frame = (
        '[2,"100000023","StopTransaction",{"meterStop":1388,"idTag":"BA86I250X5G6MOD5DLKD\x10\x0e",'
        '"transactionId":1786705612,"timestamp":"2026-08-14T11:42:28Z","reason":"EVDisconnected"}]'
    )
    got = receive(frame)
    assert isinstance(got, Asked)
    assert isinstance(got.heard.fact, SessionEnded)
    assert got.heard.fact.deviations == ("control_characters",)
    assert got.heard.token is not None
    assert got.heard.token.uid == "BA86I250X5G6MOD5DLKD"


# B13: envelopes


@BOTH
@pytest.mark.parametrize("call_id", [["m"], {"m": 1}, None, True, 1.5, "m" * 10_000, 5, "m" * 37])
def test_b13_an_odd_message_id(version: Version, call_id: object) -> None:
    answered, code, _ = refusal([2, call_id, "Heartbeat", {}], version)
    assert answered == ("5" if call_id == 5 else "-1")
    assert code == FRAMEWORK[version]


@BOTH
@pytest.mark.parametrize("action", [["Heartbeat"], {}, None, 5, True])
def test_b13_an_action_that_is_no_text(version: Version, action: object) -> None:
    assert refusal([2, "m1", action, {}], version)[:2] == ("m1", FRAMEWORK[version])


@BOTH
@pytest.mark.parametrize(
    "action", ["../../etc/passwd", "", "heartbeat", "Nonsense", "x" * 100_000, "\u0000", "__class__"]
)
def test_b13_an_unknown_action(version: Version, action: str) -> None:
    got = receive([2, "m1", action, {}], version)
    assert isinstance(got, Bad)
    assert got.fact.action is None
    assert orjson.loads(got.reply or "")[:3] == [4, "m1", "NotImplemented"]
    assert action == "" or action not in (got.reply or "")


@BOTH
@pytest.mark.parametrize("action", ["Reset", "TriggerMessage", "GetLog"])
def test_b13_a_command_is_not_a_stations_to_send(version: Version, action: str) -> None:
    assert refusal([2, "m1", action, {}], version)[:2] == ("m1", "NotSupported")


@BOTH
@pytest.mark.parametrize("kind", [2.0, "2", True, None, [], {}, "CALL"])
def test_b13_an_odd_message_type(version: Version, kind: object) -> None:
    assert refusal([kind, "m1", "Heartbeat", {}], version)[:2] == ("m1", FRAMEWORK[version])


@BOTH
@pytest.mark.parametrize(
    "frame", [[2], [2, "m1"], [2, "m1", "Heartbeat"], [2, "m1", "Heartbeat", {}, 1], [2, "m1", "Heartbeat", {}, 1, 2]]
)
def test_b13_too_few_or_too_many_elements(version: Version, frame: list[object]) -> None:
    call_id, code, _ = refusal(frame, version)
    assert (call_id, code) == ("m1" if len(frame) > 1 else "-1", FRAMEWORK[version])


@BOTH
@pytest.mark.parametrize("frame", ["{}", "[]", "5", '"x"', "null", "true", '{"2":"m1"}'])
def test_b13_no_array_at_all(version: Version, frame: str) -> None:
    assert refusal(frame, version)[:2] == ("-1", FRAMEWORK[version])


@pytest.mark.parametrize(
    "frame",
    [
        [2, 5, "StopTransaction", STOP],
        [2, "m" * 100, "StopTransaction", STOP],
        [2.0, "m1", "StopTransaction", STOP],
        ["2", "m1", "StopTransaction", STOP],
        [2, "m1", "StopTransaction", STOP, None, "more"],
    ],
)
def test_an_odd_envelope_does_not_cost_a_session_its_end(frame: list[object]) -> None:
    got = receive(frame)
    assert isinstance(got, Asked)
    assert got.call_id == str(frame[1])
    assert got.heard.fact.ref == "7"  # type: ignore[attr-defined]
    assert got.heard.fact.deviations == ("odd_envelope",)


@pytest.mark.parametrize("frame", ["", " ", "\r\n", "\0", "\ufeff", b""])
def test_an_empty_frame_is_dropped(frame: Any) -> None:
    assert receive(frame) == Stray("The frame was empty.", None)


@pytest.mark.parametrize(
    ("version", "code"), [(Version.V16, "ProtocolError"), (Version.V201, "MessageTypeNotSupported")]
)
@pytest.mark.parametrize("kind", [0, 1, 5, 6, -2, 2**63])
def test_an_unknown_message_type_is_answered_and_dropped(version: Version, code: str, kind: int) -> None:
    got = receive([kind, "m1", "Heartbeat", {}], version)
    assert isinstance(got, Stray)
    assert orjson.loads(got.reply or "")[:3] == [4, "m1", code]


# broken JSON


@BOTH
@pytest.mark.parametrize(
    ("frame", "call_id", "action"),
    [
        ('[2,"m1","MeterValues",{"transactionId":,"connectorId":1}]', "m1", "MeterValues"),
        ('[2, "m1" , "MeterValues",{"meterValue":[,{}]}]', "m1", "MeterValues"),
        ('[2,"m1","Heartbeat"', "m1", "Heartbeat"),
        ('[2,"m1",', "m1", None),
        ('[2,"m1', "-1", None),
        ('[2,m1,"Heartbeat",{}]', "-1", None),
        ('[2,"' + "m" * 37 + '","Heartbeat",{]', "-1", None),
        ("nonsense", "-1", None),
        ('[2,"m1","Heartbeat",{}][2,"m2","Heartbeat",{}]', "m1", "Heartbeat"),
        ("[NaN]", "-1", None),
        ('[2,"m1","Heartbeat",{"a":1e999}]', "m1", "Heartbeat"),
    ],
)
def test_broken_json_is_answered_under_its_id_where_that_can_be_had(
    version: Version, frame: str, call_id: str, action: str | None
) -> None:
    got = receive(frame, version)
    assert isinstance(got, Bad)
    assert got.fact.action == action
    assert got.hidden == {"frame": frame}
    assert orjson.loads(got.reply or "")[:3] == [4, call_id, FORMAT[version]]


@BOTH
def test_a_broken_answer_is_never_answered(version: Version) -> None:
    for frame in ('[3,"o1",{"configurationKey":[]', '[4,"o1","Nope"', "[3" + nested(50), "[4" + nested(50)):
        got = receive(frame, version)
        assert isinstance(got, Bad)
        assert got.reply is None


def test_q58_the_last_of_duplicate_members_counts() -> None:
    frame = (
        '[2,"m1","StopTransaction",{"meterStop":1,"transactionId":1,"meterStop":2,"timestamp":"2026-03-01T10:00:00Z"}]'
    )
    got = receive(frame)
    assert isinstance(got, Asked)
    assert got.heard.fact.register_wh == 2  # type: ignore[attr-defined]


def test_the_kept_frame_is_bounded_and_valid() -> None:
    for frame in ("x" * 5_000_000, b"\xff" * 5_000_000, "\ud800" * 1_000):
        got = receive(frame)
        assert isinstance(got, Bad)
        kept = got.hidden["frame"]
        assert isinstance(kept, str)
        assert len(kept) <= 65_536
        assert kept.encode()


# B17: amounts


def samples(count: int) -> list[dict[str, Any]]:
    return [{"timestamp": "2026-03-01T10:00:00Z", "sampledValue": [{"value": "1"}] * count}]


@pytest.mark.parametrize("count", [MOST_ITEMS, 100_000])
def test_b17_too_many_samples_are_refused(count: int) -> None:
    payload = {"connectorId": 1, "meterValue": samples(count)}
    assert refusal([2, "m1", "MeterValues", payload])[:2] == ("m1", "PropertyConstraintViolation")
    payload = {
        "transactionId": 1,
        "timestamp": "2026-03-01T10:00:00Z",
        "meterStop": 1,
        "transactionData": samples(count),
    }
    assert refusal([2, "m1", "StopTransaction", payload])[:2] == ("m1", "PropertyConstraintViolation")


def test_b17_too_many_of_anything_are_refused() -> None:
    report = {**MESSAGES[Version.V201]["NotifyReport"]}
    report["reportData"] = report["reportData"] * 12_000
    assert refusal([2, "m1", "NotifyReport", report], Version.V201)[1] == "PropertyConstraintViolation"


def test_q40_a_long_stop_is_read() -> None:
    """Two days of samples every minute, with a reading each: beyond 64 KiB."""
    data = [
        {
            "timestamp": f"2026-03-0{1 + i // 1440}T{i // 60 % 24:02d}:{i % 60:02d}:00Z",
            "sampledValue": [{"value": str(i)}],
        }
        for i in range(2_880)
    ]
    stop = {**STOP, "transactionData": data}
    assert len(orjson.dumps(stop)) > 2**16
    heard = hear("StopTransaction", stop)
    assert isinstance(heard.fact, SessionEnded)
    assert len(heard.fact.readings) == 2_880
    assert heard.fact.deviations == ()


def test_b17_texts_are_bounded() -> None:
    heard = hear("BootNotification", {"chargePointVendor": "v" * 500_000, "chargePointModel": "m"})
    assert heard.fact.vendor == "v" * 255  # type: ignore[attr-defined]
    assert heard.words["chargePointVendor"] == "v" * 255
    assert heard.fact.deviations == ("long_text",)


def test_the_link_goes_on_after_anything() -> None:
    talk = link()
    for frame in ("[[[[[[[[[[[[[[[[[[[[", "", b"\xff", "[1]", '[2,"m1","Nonsense",{}]', "{}", '[3,"x",{}]'):
        talk.receive(frame)
    assert isinstance(talk.receive(HEARTBEAT), Asked)


def test_parse_reads_the_three_kinds() -> None:
    assert tuple(parse(HEARTBEAT)) == ("m1", "Heartbeat", {}, ())
    assert tuple(parse('[3,"o1",{"status":"Accepted"}]')) == ("o1", {"status": "Accepted"})
    assert tuple(parse('[4,"o1","NotSupported","no",{}]')) == ("o1", "NotSupported", "no", {})
