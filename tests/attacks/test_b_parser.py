"""Attacks on the parser, as live frames: whatever comes gets one answer or none, and the next call is served."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import pytest

from tests.doors import Door, Station, until
from wattkeeper.charging.facts import Alarmed, Disconnected, Garbled, HeartBeaten, TokenPresented

VERSIONS = ["ocpp1.6", "ocpp2.0.1"]
AUTHORIZE = {
    "ocpp1.6": '{"idTag":"%s"}',
    "ocpp2.0.1": '{"idToken":{"idToken":"%s","type":"ISO14443"}}',
}
OCCURRENCE = {"ocpp1.6": "OccurenceConstraintViolation", "ocpp2.0.1": "OccurrenceConstraintViolation"}
FORMAT = {"ocpp1.6": "FormationViolation", "ocpp2.0.1": "FormatViolation"}


async def answers_to(station: Station, frame: str | bytes) -> list[Any]:
    """What is answered to a frame until a heartbeat behind it is: the conversation lives."""
    await station.send(frame)
    await station.send('[2,"beat","Heartbeat",{}]')
    heard: list[Any] = []
    while (one := await station.hear())[:2] != [3, "beat"]:
        heard.append(one)
    return heard


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("depth", [17, 1_100, 100_000])
async def test_b9_deep_nesting_is_refused_and_the_connection_stays(door: Door, version: str, depth: int) -> None:
    async with door.plugged(versions=[version]) as station:
        for frame in (
            "[" * depth,
            "[" * depth + "]" * depth,
            '[2,"1","Heartbeat",' + '{"a":' * depth + "1" + "}" * depth + "]",
            '[2,"1","DataTransfer",{"vendorId":"V","data":' + "[" * depth + "]" * depth + "}]",
        ):
            (answer,) = await answers_to(station, frame)
            assert answer[:3] == [4, "-1", FORMAT[version]]
    assert len(await door.facts(Garbled)) == 4


@pytest.mark.parametrize("version", VERSIONS)
async def test_b9_the_depth_inside_of_texts_does_not_count(door: Door, version: str) -> None:
    async with door.plugged(versions=[version]) as station:
        transfer = json.dumps([2, "1", "DataTransfer", {"vendorId": "V", "data": "[" * 5_000}])
        (answer,) = await answers_to(station, transfer)
        assert answer[:2] == [3, "1"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "uid",
    [
        "\\ud800",
        "\\udc00\\ud800",
        "a\\u0000b",
        "\\u0000",
        "\\ufeffABCD",
        "\\u202eDCBA",
        "🔌⚡🚗",
        "A\\nB\\rC\\tD",
        "' OR 1=1 --",
        "../../etc/passwd",
        "%00%s%n",
        "",
        " ",
    ],
)
async def test_b11_odd_characters_in_a_token_get_one_answer(door: Door, version: str, uid: str) -> None:
    async with door.plugged(versions=[version]) as station:
        frame = f'[2,"1","Authorize",{AUTHORIZE[version] % uid}]'
        first = await answers_to(station, frame)
        assert len(first) == 1
        assert first[0][1] in {"1", "-1"}
        if first[0][0] == 4:
            assert first[0][2] != "InternalError"
        else:
            status = first[0][2].get("idTagInfo") or first[0][2]["idTokenInfo"]
            assert status["status"] in {"Invalid", "Unknown"}
        assert (await answers_to(station, frame))[0][0] == first[0][0]
    heard = await door.facts(TokenPresented) + await door.facts(Garbled)
    assert len(heard) == 2


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("uid", [b"\xc0\xaf", b"\xed\xa0\x80", b"\xff\xfe", b"\xf0\x9f\x94", b"AB\x00CD", b"AB\x01CD"])
async def test_b11_bytes_that_are_no_text_get_one_answer(door: Door, version: str, uid: bytes) -> None:
    """Texts in UTF-8 that is none: the frame is refused, the connection stays (a station would only come back)."""
    async with door.plugged(versions=[version]) as station:
        frame = b'[2,"1","Authorize",' + AUTHORIZE[version].encode().replace(b"%s", uid) + b"]"
        assert len(await answers_to(station, frame)) == 1


async def test_b11_a_byte_order_mark_is_overlooked(door: Door) -> None:
    async with door.plugged() as station:
        (answer,) = await answers_to(station, '\ufeff[2,"1","Heartbeat",{}]')
        assert answer[:2] == [3, "1"]


IDS = ["[]", "{}", "1", "null", "true", '"' + "x" * 10_000 + '"', '""', "1.5", "-0", "1e999", "9" * 400]
ACTIONS = ["[]", "null", "{}", "7", '"../../etc/passwd"', '""', '"' + "A" * 10_000 + '"', '"__class__"']
TYPES = ["2.0", "true", '"2"', "null", "[]", "5", "-1", "99999999999999999999", "2e0", '"CALL"']
SHAPES = [
    '[2,"1","Heartbeat\\u0000",{}]',
    *("[]", "{}", '""', "0", "null", "[2]", '[2,"1"]', '[2,"1","Heartbeat"]', '[2,"1","Heartbeat",{},{}]'),
    *('[2,"1","Heartbeat",{},{},{}]', '[2,"1","Heartbeat",[]]', '[2,"1","Heartbeat",null]', '[2,"1","Heartbeat","{}"]'),
    *("", " ", "[2,", '[2,"1","Heartbeat",{}]]', "\x00", "NaN", '[3,"1",{}]', '[3,"1"]', '[4,"1"]', '[4,"1",7,[],{}]'),
    *('[3,["1"],{}]', "[3,null,null]", "[4,{},{},{},{}]", '[2,"1","Heartbeat",{"a":NaN}]', '[[2,"1","Heartbeat",{}]]'),
]


def odd_frames() -> Iterator[str]:
    """Frames whose envelope is not as OCPP-J has it."""
    yield from (f'[2,{call_id},"Heartbeat",{{}}]' for call_id in IDS)
    yield from (f'[2,"1",{action},{{}}]' for action in ACTIONS)
    yield from (f'[{kind},"1","Heartbeat",{{}}]' for kind in TYPES)
    yield from SHAPES


@pytest.mark.parametrize("version", VERSIONS)
async def test_b13_odd_envelopes_get_one_answer_or_none(door: Door, version: str) -> None:
    async with door.plugged(versions=[version]) as station:
        for frame in odd_frames():
            heard = await answers_to(station, frame)
            assert len(heard) <= 1, frame
            assert all(one[0] in {3, 4} and isinstance(one[1], str) and len(one[1]) <= 36 for one in heard), frame
            assert all(one[0] == 3 or one[2] != "InternalError" for one in heard), frame
            if frame.startswith(("[3", "[4")):
                assert heard == [], frame
    assert [fact["code"] for fact in await door.facts(Alarmed)] == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_b13_the_same_bytes_again_get_the_same_answer(door: Door, version: str) -> None:
    async with door.plugged(versions=[version]) as station:
        for frame in ('[2,["1"],"Heartbeat",{}]', '[2,"1",null,{}]', "[2,", '[2,"1","../../etc/passwd",{}]'):
            assert await answers_to(station, frame) == await answers_to(station, frame)


@cache
def schemas(version: str) -> dict[str, Any]:
    """The official schema of every request, by action."""
    folder = files("ocpp") / ("v16" if version == "ocpp1.6" else "v201") / "schemas"
    found = {file.name.removesuffix(".json"): json.loads(file.read_text("utf-8-sig")) for file in folder.iterdir()}
    return {name.removesuffix("Request"): found[name] for name in sorted(found) if not name.endswith("Response")}


def example(schema: Any, whole: Any) -> Any:
    """The least value that a schema allows."""
    if "$ref" in schema:
        return example(whole["definitions"][schema["$ref"].rpartition("/")[2]], whole)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: example(schema["properties"][name], whole) for name in schema.get("required", [])}
        case "array":
            return [example(schema["items"], whole)] * max(1, schema.get("minItems", 1))
        case "string":
            return "2024-01-01T00:00:00Z" if schema.get("format") == "date-time" else "http://x"
        case "boolean":
            return False
    return 1


def holes(value: Any) -> Iterator[Any]:
    """The value with each member, at any depth, left out in turn."""
    if isinstance(value, dict):
        for name in value:
            yield {other: value[other] for other in value if other != name}
            yield from (value | {name: inner} for inner in holes(value[name]))
    elif isinstance(value, list) and value:
        yield []
        yield from ([inner, *value[1:]] for inner in holes(value[0]))


async def test_b14_an_empty_boot_lacks_what_it_must_have(door: Door) -> None:
    async with door.plugged() as station:
        (answer,) = await answers_to(station, '[2,"1","BootNotification",{}]')
        assert answer[:3] in ([4, "1", OCCURRENCE["ocpp1.6"]], [3, "1", answer[2]])


@pytest.mark.parametrize("version", VERSIONS)
async def test_b14_every_action_without_each_required_field_in_turn(door: Door, version: str) -> None:
    tried = 0
    async with door.plugged(versions=[version]) as station:
        for action, schema in schemas(version).items():
            whole = example(schema, schema)
            for payload in [whole, *holes(whole)]:
                answer = await station.call(action, payload)
                assert answer[0] in {3, 4}, (action, payload)
                assert answer[0] == 3 or answer[2] != "InternalError", (action, payload, answer)
                tried += 1
    assert tried > 100
    assert [fact["code"] for fact in await door.facts(Alarmed)] in ([], ["ForeignTransaction"])


async def test_b16_calls_without_waiting_are_answered_in_order(door: Door) -> None:
    async with door.plugged() as station:
        for n in range(500):
            await station.send(f'[2,"{n}","Heartbeat",{{}}]')
        assert [(await station.hear())[:2] for _ in range(500)] == [[3, str(n)] for n in range(500)]
        assert (await station.call("Heartbeat", {}))[0] == 3
    assert len(await door.facts(HeartBeaten)) == 501


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_b16_far_too_many_calls_without_waiting_end_in_a_security_error(door: Door) -> None:
    async with door.plugged(max_queue=None) as station:
        flood = [f'[2,"{n}","Heartbeat",{{}}]' for n in range(3_000)]
        for frame in flood:
            await station.send(frame)
        answers = []
        while (one := await station.hear())[0] == 3:
            answers.append(one[1])
        assert answers == [str(n) for n in range(len(answers))]
        assert 500 <= len(answers) < 3_000
        assert one[:3] == [4, str(len(answers)), "SecurityError"]
        assert await station.closed() == 1008
    await until(lambda: door.facts(Disconnected), "the end")
    assert [fact["code"] for fact in await door.facts(Alarmed)] == ["CallFlood"]
    assert len(await door.facts(HeartBeaten)) == len(answers)
    async with door.plugged() as station:
        assert (await station.call("Heartbeat", {}))[0] == 3
