"""What a station's answer to a command means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wattkeeper.charging.orders import (
    AnyCommand,
    Outcome,
    Reset,
    StartCharging,
)
from wattkeeper.charging.station import Version
from wattkeeper.ocpp.dialects import DIALECTS

V16, V201 = Version.V16, Version.V201
CARD = "04A1B2C3D4E5F6"


@pytest.mark.parametrize(
    ("version", "action", "payload", "answer", "outcome", "summary"),
    [
        (V16, "Reset", {"type": "Soft"}, {"status": "Accepted"}, Outcome.ACCEPTED, "Accepted"),
        (V16, "Reset", {"type": "Soft"}, {"status": "accepted"}, Outcome.ACCEPTED, "accepted"),
        (V16, "Reset", {"type": "Soft"}, {"status": "Rejected"}, Outcome.REJECTED, "Rejected"),
        (V16, "Reset", {"type": "Soft"}, {}, Outcome.REJECTED, "The answer had no status."),
        (V16, "Reset", {"type": "Soft"}, {"status": 5}, Outcome.REJECTED, "The answer had no status."),
        (V16, "UnlockConnector", {"connectorId": 1}, {"status": "Unlocked"}, Outcome.ACCEPTED, "Unlocked"),
        (V16, "UnlockConnector", {"connectorId": 1}, {"status": "UnlockFailed"}, Outcome.REJECTED, "UnlockFailed"),
        (
            V16,
            "ChangeAvailability",
            {"connectorId": 0, "type": "Operative"},
            {"status": "Scheduled"},
            Outcome.ACCEPTED,
            "Scheduled",
        ),
        (
            V16,
            "ChangeConfiguration",
            {"key": "k", "value": "v"},
            {"status": "RebootRequired"},
            Outcome.ACCEPTED,
            "RebootRequired",
        ),
        (
            V16,
            "ReserveNow",
            {"connectorId": 1, "expiryDate": "2026-03-01T10:00:00Z", "idTag": "A", "reservationId": 1},
            {"status": "Occupied"},
            Outcome.REJECTED,
            "Occupied",
        ),
        (V16, "GetConfiguration", {}, {"unknownKey": ["x"]}, Outcome.ACCEPTED, "Answered"),
        (V16, "GetLocalListVersion", {}, {"listVersion": 3}, Outcome.ACCEPTED, "Answered"),
        (
            V16,
            "UpdateFirmware",
            {"location": "http://x", "retrieveDate": "2026-03-01T10:00:00Z"},
            {},
            Outcome.ACCEPTED,
            "Answered",
        ),
        (
            V201,
            "GetLog",
            {"log": {"remoteLocation": "x"}, "logType": "SecurityLog", "requestId": 1},
            {"status": "AcceptedCanceled"},
            Outcome.ACCEPTED,
            "AcceptedCanceled",
        ),
        (V201, "CostUpdated", {"totalCost": 1, "transactionId": "t"}, {}, Outcome.ACCEPTED, "Answered"),
        (V201, "GetTransactionStatus", {}, {"messagesInQueue": True}, Outcome.ACCEPTED, "Answered"),
        (
            V201,
            "UnlockConnector",
            {"evseId": 1, "connectorId": 1},
            {"status": "OngoingAuthorizedTransaction"},
            Outcome.REJECTED,
            "OngoingAuthorizedTransaction",
        ),
    ],
)
def test_what_an_answer_means(
    version: Version, action: str, payload: dict[str, Any], answer: dict[str, Any], outcome: Outcome, summary: str
) -> None:
    settlement = DIALECTS[version].settle(AnyCommand(action=action, payload=payload), action, answer)
    assert (settlement.outcome, settlement.words, settlement.summary) == (outcome, answer, summary)


def test_an_answer_about_many_variables_is_accepted_if_all_are() -> None:
    one = {"attributeValue": "x", "component": {"name": "c"}, "variable": {"name": "v"}}
    order = AnyCommand(action="SetVariables", payload={"setVariableData": [one, one]})

    def settled(*statuses: str) -> tuple[Outcome, str]:
        results = [
            {"attributeStatus": status, "component": {"name": "c"}, "variable": {"name": "v"}} for status in statuses
        ]
        settlement = DIALECTS[V201].settle(order, "SetVariables", {"setVariableResult": results})
        return settlement.outcome, settlement.summary

    assert settled("Accepted", "RebootRequired") == (Outcome.ACCEPTED, "Accepted, RebootRequired")
    assert settled("Accepted", "Rejected") == (Outcome.REJECTED, "Accepted, Rejected")
    assert settled("Accepted", "Accepted") == (Outcome.ACCEPTED, "Accepted")


def test_a_card_number_that_is_a_status_word_does_not_change_the_outcome() -> None:
    settlement = DIALECTS[V16].settle(StartCharging(uid="Accepted"), "RemoteStartTransaction", {"status": "Accepted"})
    assert settlement.outcome is Outcome.ACCEPTED


def test_answers_are_safe_to_keep() -> None:
    settle: Callable[..., Any] = DIALECTS[V16].settle
    settlement = settle(Reset(), "Reset", {"status": "Rejected\u0000\u202e", "x\u0000": [{"y": "z\u0007"}]})
    assert settlement.words == {"status": "Rejected", "x": [{"y": "z"}]}
    assert settlement.summary == "Rejected"
