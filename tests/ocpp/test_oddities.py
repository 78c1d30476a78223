"""Oddities beyond the collection: what else stations were seen, or can be expected, to send. Sources in test_quirks."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.ocpp.talk import fact, hear, reply
from wattkeeper.charging.answer import Answer
from wattkeeper.charging.cards.token import Presented
from wattkeeper.charging.facts import (
    MetersRead,
    SessionEnded,
    SessionOpened,
    SessionUpdated,
)
from wattkeeper.charging.reading import UNDATED, Context
from wattkeeper.charging.station import ConnectorStatus, Version

ENERGY = "Energy.Active.Import.Register"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def meter(sampled: Any, **more: Any) -> dict[str, Any]:
    value = {"timestamp": "2026-03-01T10:00:00Z", "sampledValue": sampled}
    return {"connectorId": 1, "meterValue": [value], **more}


def read(sample: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
    """The only reading of a sample, and the deviations."""
    got = fact("MeterValues", meter([sample]))
    assert isinstance(got, MetersRead)
    return (got.readings[0] if got.readings else None), got.deviations


@pytest.mark.parametrize(
    ("said", "wh"),
    [
        ({"unit": "kwh"}, 12500),
        ({"unit": "KWH"}, 12500),
        ({"unit": "WH"}, Decimal("12.5")),
        ({"unit": "wh"}, Decimal("12.5")),
        ({"unit": "MWh"}, 12500000),
        ({"unit": "kW"}, 12500),
        ({"unit": "W"}, Decimal("12.5")),
        ({"unit": ""}, Decimal("12.5")),
        ({"unit": None}, Decimal("12.5")),
        ({"value": "12,5"}, Decimal("12.5")),
        ({"value": "12.5 kWh"}, 12500),
        ({"value": "12.5kWh", "unit": "kWh"}, 12500),
        ({"value": " 12.5"}, Decimal("12.5")),
        ({"value": "1.25e1"}, Decimal("12.5")),
        ({"value": "+12.5"}, Decimal("12.5")),
        ({"measurand": ""}, Decimal("12.5")),
        ({"measurand": "energy.active.import.register"}, Decimal("12.5")),
        ({"measurand": None, "context": None, "location": None}, Decimal("12.5")),
        ({"location": "outlet"}, Decimal("12.5")),
        ({"context": "sample.periodic"}, Decimal("12.5")),
        ({"context": "Sample.Unheard"}, Decimal("12.5")),
        ({"Value": "99"}, Decimal("12.5")),
        ({"format": "raw"}, Decimal("12.5")),
        ({"measurand": "Energy.Active.Import.Register.L1"}, Decimal("12.5")),
    ],
    ids=str,
)
def test_energy_however_it_is_worded(said: dict[str, Any], wh: Any) -> None:
    reading, deviations = read({"value": "12.5", "measurand": ENERGY, **said})
    assert reading.energy_wh == wh
    assert deviations


@pytest.mark.parametrize(
    "value",
    [
        "",
        "N/A",
        "NaN",
        "Infinity",
        "-Infinity",
        "null",
        "-",
        ".",
        "1.2.3",
        "0x10",
        "1_000",
        "１２",
        True,
        {},
        [],
        "1e99",
    ],
)
def test_what_is_no_value_is_skipped(value: object) -> None:
    got = fact("MeterValues", meter([{"value": value, "measurand": ENERGY}, {"value": "5", "measurand": "SoC"}]))
    (reading,) = got.readings
    assert (reading.energy_wh, reading.soc_percent) == (None, Decimal(5))
    assert got.deviations


@pytest.mark.parametrize("number", [10**18, -(10**18), 1e30, "9" * 30])
def test_a_number_beyond_meaning_is_set_aside(number: object) -> None:
    assert read({"value": number})[0] is None
    ended = fact("StopTransaction", {"meterStop": number, "transactionId": 1, "timestamp": "2026-03-01T10:00:00Z"})
    assert (ended.register_wh, ended.ref) == (None, "1")
    assert "number_out_of_range" in ended.deviations


@pytest.mark.parametrize("number", [-5, "-5"])
def test_negative_numbers_are_recorded(number: object) -> None:
    ended = fact("StopTransaction", {"meterStop": number, "transactionId": 1, "timestamp": "2026-03-01T10:00:00Z"})
    assert ended.register_wh == Decimal(-5)


@pytest.mark.parametrize(
    ("said", "ref"),
    [
        ("4711", "4711"),
        (4711.0, "4711"),
        ("4711 ", "4711"),
        ("a-b-c", "a-b-c"),
        (-4711, "-4711"),
        (2**53, str(2**53)),
        (None, None),
        ("", None),
        ([], None),
        (1e30, None),
    ],
)
def test_the_transaction_id_as_said(said: object, ref: str | None) -> None:
    got = fact("MeterValues", meter([{"value": "5"}], transactionId=said))
    assert got.ref == ref
    assert bool(got.deviations) == (type(said) is not int and said != 4711.0)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("Occupied", ConnectorStatus.OCCUPIED),
        ("SuspendedEv", ConnectorStatus.SUSPENDED_EV),
        ("suspended_evse", ConnectorStatus.SUSPENDED_EVSE),
        ("available", ConnectorStatus.AVAILABLE),
        ("CHARGING", ConnectorStatus.CHARGING),
        (" Faulted ", ConnectorStatus.FAULTED),
        ("Sleeping", ConnectorStatus.UNKNOWN),
        ("", ConnectorStatus.UNKNOWN),
    ],
)
def test_status_words(said: str, status: ConnectorStatus) -> None:
    got = fact("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": said})
    assert got.status is status
    assert got.deviations
    event = {"timestamp": "2026-03-01T10:00:00Z", "connectorStatus": said, "evseId": 1, "connectorId": 1}
    assert fact("StatusNotification", event, Version.V201).status is status


def test_the_unheard_status_word_is_kept() -> None:
    assert fact("StatusNotification", {"connectorId": 1, "status": "Sleeping"}).said == "Sleeping"


def test_a_missing_and_an_unknown_error_code() -> None:
    got = fact("StatusNotification", {"connectorId": 1, "status": "Available"})
    assert (got.error, got.deviations) == (None, ("missing_member",))
    got = fact("StatusNotification", {"connectorId": 1, "status": "Faulted", "errorCode": "Error"})
    assert (got.error, got.deviations) == ("Error", ("unknown_word",))
    assert fact("StatusNotification", {"connectorId": "1", "status": "Faulted", "errorCode": None}).evse == 1


@pytest.mark.parametrize("tag", [None, "", "   ", {}, ["AB"], True])
def test_a_start_without_a_readable_card(tag: object) -> None:
    start = {"connectorId": 1, "idTag": tag, "meterStart": 5, "timestamp": "2026-03-01T10:00:00Z"}
    heard = hear("StartTransaction", start)
    assert heard.token is None
    assert heard.fact.register_wh == 5  # type: ignore[attr-defined]
    assert heard.fact.deviations
    assert isinstance(tag, str) or "missing_member" in heard.fact.deviations


def test_a_card_number_that_is_a_number() -> None:
    heard = hear("Authorize", {"idTag": 12345678})
    assert (heard.token, heard.words) == (Presented("12345678"), {"idTag": "•••"})


@pytest.mark.parametrize(
    "start",
    [
        {"idTag": "AB", "meterStart": "100", "timestamp": "2026-03-01T10:00:00Z", "connectorId": "1"},
        {"idTag": "AB", "MeterStart": 100, "Timestamp": "2026-03-01 10:00:00", "connectorID": 1},
        {"idTag": "AB", "meterStart": 100.0, "timestamp": 1772359200, "connectorId": 1.0},
        {"idTag": "AB", "meterStart": 100, "timestamp": "1772359200000", "connectorId": 1, "extra": [1]},
        {
            "idTag": "AB",
            "meterStart": 100,
            "timestamp": "2026-03-01T12:00:00+0200",
            "connectorId": 1,
            "reservationId": -1,
        },
    ],
)
def test_a_start_however_it_is_typed(start: dict[str, Any]) -> None:
    got = fact("StartTransaction", start)
    assert (got.at, got.evse, got.register_wh, got.reservation) == (utc(2026, 3, 1, 10), 1, Decimal(100), None)
    assert got.deviations


@pytest.mark.parametrize("missing", ["idTag", "meterStart", "timestamp", "connectorId"])
def test_a_start_that_lacks_something_is_recorded(missing: str) -> None:
    start = {"connectorId": 1, "idTag": "AB", "meterStart": 5, "timestamp": "2026-03-01T10:00:00Z"}
    del start[missing]
    heard = hear("StartTransaction", start)
    assert isinstance(heard.fact, SessionOpened)
    assert heard.fact.deviations == ("missing_member",)


def test_a_stop_without_a_meter() -> None:
    got = fact("StopTransaction", {"timestamp": "2026-03-01T10:00:00Z", "reason": "evdisconnected"})
    assert got == SessionEnded(
        at=utc(2026, 3, 1, 10), reason="EVDisconnected", deviations=("word_case", "missing_member")
    )


def test_transaction_data_that_is_an_object_and_undated() -> None:
    stop = {
        "transactionId": 1,
        "meterStop": 9,
        "timestamp": "2026-03-01T10:00:00Z",
        "transactionData": {"timestamp": "", "sampledValue": {"value": "9", "context": "Transaction.End"}},
    }
    got = fact("StopTransaction", stop)
    (reading,) = got.readings
    assert (reading.at, reading.energy_wh, reading.context) == (got.at, Decimal(9), Context.END)
    assert set(got.deviations) == {"object_for_array", "unreadable_time", "undated_reading", "missing_member"}


def test_a_reading_without_any_time_is_undated_and_kept() -> None:
    got = fact("MeterValues", {"connectorId": 1, "meterValue": [{"sampledValue": [{"value": "5"}]}]})
    assert (got.at, got.readings[0].at, got.readings[0].energy_wh) == (None, UNDATED, Decimal(5))


@pytest.mark.parametrize(
    "said", ["0001-01-01T00:00:00Z", "", "yesterday", "2026-13-01T00:00:00Z", [], 5, "1900-01-01T00:00:00Z"]
)
def test_a_time_that_cannot_be_read(said: object) -> None:
    got = fact(
        "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": said}
    )
    assert got.at is None
    assert got.deviations


@pytest.mark.parametrize(
    "said",
    [
        "2026-03-01T10:00:00",
        "2026-03-01 10:00:00",
        "2026-03-01 10:00:00Z",
        "2026-03-01t10:00:00z",
        "2026-03-01T10:00:00+00",
        "2026-03-01T11:00:00 +01:00",
        "2026-03-01T05:30:00-0430",
        "2026/03/01 10:00:00",
        "2026-3-1T10:0:0Z",
        "20260301T100000Z",
        "2026-03-01T10:00Z",
        "2026-03-01T10:00:00,000Z",
        "2026-03-01T09:59:60Z",
        "2026-03-01T10:00:00UTC",
        " 2026-03-01T10:00:00Z\n",
        1772359200,
        1772359200.0,
        "1772359200",
        1772359200000,
        "1772359200000",
    ],
)
def test_a_time_however_it_is_written(said: object) -> None:
    got = fact(
        "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": said}
    )
    assert got.at == utc(2026, 3, 1, 10)
    assert got.deviations


def test_the_start_value_repeated_beside_the_present_one_is_the_older() -> None:
    sampled = [
        {"value": "163630", "context": "Sample.Periodic", "measurand": ENERGY, "unit": "Wh"},
        {"value": "157440", "context": "Transaction.Begin", "measurand": ENERGY, "unit": "Wh"},
    ]
    for order in (sampled, sampled[::-1]):
        (reading,) = fact("MeterValues", meter(order)).readings
        assert (reading.energy_wh, reading.context) == (Decimal(163630), Context.PERIODIC)
        assert [rest.value for rest in reading.rest] == [Decimal(157440)]


def test_two_values_for_one_quantity_are_both_kept() -> None:
    got = fact("MeterValues", meter([{"value": "5"}, {"value": "6"}, {"value": "5.0"}]))
    (reading,) = got.readings
    assert (reading.energy_wh, [rest.value for rest in reading.rest]) == (Decimal(5), [Decimal(6)])
    assert got.deviations == ("conflicting_values",)


@pytest.mark.parametrize("sampled", [[], None, [None], {}, "x", [[]]])
def test_meter_values_of_nothing_are_answered(sampled: object) -> None:
    assert fact("MeterValues", meter(sampled)).readings == ()
    assert fact("MeterValues", {"connectorId": 1, "meterValue": []}).readings == ()


def test_a_token_of_201_that_is_a_bare_text() -> None:
    event = {
        "eventType": "Started",
        "timestamp": "2026-03-01T10:00:00Z",
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "t"},
        "idToken": "04A1B2C3",
    }
    heard = hear("TransactionEvent", event, Version.V201)
    assert heard.token == Presented("04A1B2C3")
    assert "04A1B2C3" not in str(heard)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"eventType": "started"}, SessionOpened),
        ({"eventType": "Begin", "seqNo": 0}, SessionOpened),
        ({"eventType": None, "seqNo": 4}, SessionUpdated),
        ({"eventType": None, "transactionInfo": {"transactionId": "t", "stoppedReason": "Local"}}, SessionEnded),
    ],
)
def test_an_event_whose_kind_is_not_said_plainly(change: dict[str, Any], kind: type) -> None:
    event = {
        "eventType": "Started",
        "timestamp": "2026-03-01T10:00:00Z",
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "t"},
    }
    got = fact("TransactionEvent", {**event, **change}, Version.V201)
    assert type(got) is kind
    assert got.deviations  # type: ignore[attr-defined]


def test_an_event_whose_members_have_odd_types() -> None:
    event = {
        "eventType": "Updated",
        "timestamp": "2026-03-01T10:00:00",
        "triggerReason": "SomethingNew",
        "seqNo": "12",
        "offline": "true",
        "transactionInfo": [{"transactionId": 77, "chargingState": "suspendedev"}],
        "evse": {"id": "2", "connectorId": "1"},
        "meterValue": {
            "timestamp": "2026-03-01T10:00:00Z",
            "sampledValue": {"value": "12.5", "unitOfMeasure": {"unit": "kwh"}},
        },
    }
    got = fact("TransactionEvent", event, Version.V201)
    assert (got.ref, got.seq, got.offline, got.evse, got.connector) == ("77", 12, True, 2, 1)
    assert (got.trigger, got.charging, got.readings[0].energy_wh) == ("SomethingNew", "suspended_ev", Decimal(12500))


def test_a_reply_is_due_for_every_quirk_of_a_start() -> None:
    answer = Answer(now=utc(2026, 3, 1), number=9)
    got = reply(
        "StartTransaction", {"connectorId": "1", "idTag": None, "meterStart": "y", "timestamp": "z"}, answer=answer
    )
    assert got == {"transactionId": 9, "idTagInfo": {"status": "Invalid"}}
