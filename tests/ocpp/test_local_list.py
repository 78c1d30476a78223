"""A station's own list of cards in each version's words, and what the answers tell."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from wattkeeper.charging.orders import (
    ClearCache,
    Decline,
    GetListBounds,
    GetLocalListVersion,
    ListEntry,
    Listing,
    Order,
    Outcome,
    SendLocalList,
)
from wattkeeper.charging.station import Version
from wattkeeper.ocpp.dialects import DIALECTS
from wattkeeper.ocpp.settling import refused

V16, V201 = Version.V16, Version.V201
CARD, VICINITY, LONG = "04A1B2C3D4E5F6", "E00401005A1B2C3D", "COMPANY-CARD-0000000000042"
UNTIL = datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)
ENTRIES = (
    ListEntry(uid=CARD, listing=Listing.ACCEPTED, expires_at=UNTIL),
    ListEntry(uid=VICINITY, listing=Listing.BLOCKED),
    ListEntry(uid="0411", listing=Listing.REMOVED),
)
CHANGES = SendLocalList(version=7, full=False, entries=ENTRIES)


def test_a_change_in_1_6() -> None:
    action, payload = DIALECTS[V16].write(CHANGES)
    assert action == "SendLocalList"
    assert payload == {
        "listVersion": 7,
        "updateType": "Differential",
        "localAuthorizationList": [
            {"idTag": CARD, "idTagInfo": {"status": "Accepted", "expiryDate": "2031-01-02T03:04:05.000Z"}},
            {"idTag": VICINITY, "idTagInfo": {"status": "Blocked"}},
            {"idTag": "0411"},
        ],
    }


def test_a_change_in_2_0_1() -> None:
    _, payload = DIALECTS[V201].write(CHANGES)
    info = {"status": "Accepted", "cacheExpiryDateTime": "2031-01-02T03:04:05.000Z"}
    assert payload == {
        "versionNumber": 7,
        "updateType": "Differential",
        "localAuthorizationList": [
            {"idToken": {"idToken": CARD, "type": "ISO14443"}, "idTokenInfo": info},
            {"idToken": {"idToken": VICINITY, "type": "ISO15693"}, "idTokenInfo": {"status": "Blocked"}},
            {"idToken": {"idToken": "0411", "type": "ISO14443"}},
        ],
    }


@pytest.mark.parametrize("version", [V16, V201])
def test_an_empty_list_has_no_entries(version: Version) -> None:
    _, payload = DIALECTS[version].write(SendLocalList(version=1, full=True))
    assert payload["updateType"] == "Full"
    assert "localAuthorizationList" not in payload


def test_a_number_too_long_for_1_6_is_left_out_there() -> None:
    entry = ListEntry(uid=LONG, listing=Listing.ACCEPTED)
    order = SendLocalList(version=1, full=True, entries=(entry, *ENTRIES))
    assert len(DIALECTS[V16].write(order)[1]["localAuthorizationList"]) == 3  # type: ignore[arg-type]
    assert len(DIALECTS[V201].write(order)[1]["localAuthorizationList"]) == 4  # type: ignore[arg-type]


@pytest.mark.parametrize("version", [V16, V201])
@pytest.mark.parametrize("times", [1, 10])
def test_no_number_is_in_the_words_that_are_kept(version: Version, times: int) -> None:
    order = SendLocalList(version=1, full=True, entries=ENTRIES * times)
    kept = str(DIALECTS[version].redact(*DIALECTS[version].write(order)))
    assert CARD not in kept
    assert VICINITY not in kept
    assert ("30 entries" in kept) is (times == 10)
    assert CARD not in repr(order)


def component(name: str, variable: str, **more: str) -> dict[str, Any]:
    """A result of GetVariables."""
    return {"component": {"name": name}, "variable": {"name": variable}, "attributeStatus": "Accepted"} | more


ANSWERS: list[tuple[Version, Order, str, dict[str, Any], dict[str, int]]] = [
    (V16, GetLocalListVersion(), "GetLocalListVersion", {"listVersion": -1}, {"list_version": -1}),
    (V201, GetLocalListVersion(), "GetLocalListVersion", {"versionNumber": 4}, {"list_version": 4}),
    (V16, GetLocalListVersion(), "GetLocalListVersion", {"listVersion": "4"}, {}),
    (
        V16,
        GetListBounds(),
        "GetConfiguration",
        {
            "configurationKey": [
                {"key": "LocalAuthListMaxLength", "readonly": True, "value": "500"},
                {"key": "SendLocalListMaxLength", "readonly": True, "value": "20"},
                {"key": "AuthorizationCacheEnabled", "readonly": False, "value": "True"},
            ]
        },
        {"most_entries": 500, "most_at_once": 20, "cache": 1},
    ),
    (V16, GetListBounds(), "GetConfiguration", {"unknownKey": ["LocalAuthListMaxLength"]}, {}),
    (
        V16,
        GetListBounds(),
        "GetConfiguration",
        {"configurationKey": [{"key": "LocalAuthListMaxLength", "readonly": True, "value": "many"}, 7]},
        {},
    ),
    (
        V201,
        GetListBounds(),
        "GetVariables",
        {
            "getVariableResult": [
                component("LocalAuthListCtrlr", "ItemsPerMessage", attributeValue="50"),
                component("LocalAuthListCtrlr", "BytesPerMessage", attributeValue="4000"),
                component("AuthCacheCtrlr", "Enabled", attributeValue="false"),
            ]
        },
        {"most_at_once": 20, "cache": 0},
    ),
    (V201, GetListBounds(), "GetVariables", {"getVariableResult": [component("A", "B"), None]}, {}),
]


@pytest.mark.parametrize(("version", "order", "action", "payload", "figures"), ANSWERS)
def test_what_answers_tell(
    version: Version, order: Order, action: str, payload: dict[str, Any], figures: dict[str, int]
) -> None:
    assert DIALECTS[version].write(order)[0] == action
    assert DIALECTS[version].settle(order, action, payload).figures == figures


@pytest.mark.parametrize("version", [V16, V201])
def test_declines_that_decide_on_the_next_step(version: Version) -> None:
    settle = DIALECTS[version].settle
    mismatch = settle(CHANGES, "SendLocalList", {"status": "VersionMismatch"})
    assert (mismatch.outcome, mismatch.decline) == (Outcome.REJECTED, Decline.MISMATCH)
    assert settle(CHANGES, "SendLocalList", {"status": "NotSupported"}).decline is Decline.UNSUPPORTED
    assert settle(CHANGES, "SendLocalList", {"status": "Failed"}).decline is None
    assert settle(CHANGES, "SendLocalList", {"status": "Accepted"}).decline is None
    assert DIALECTS[version].write(ClearCache()) == ("ClearCache", {})
    for code in ("NotImplemented", "NotSupported"):
        assert refused(code, "", {}, ()).decline is Decline.UNSUPPORTED
    assert refused("InternalError", "", {}, ()).decline is None
