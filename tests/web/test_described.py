"""The whole API against its own description: whatever is sent, no fault of ours and no answer outside its schema."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks

from tests.serving import Serving, serving
from wattkeeper.charging.person import Role, Scope
from wattkeeper.operations.policy import grants

EXAMPLES = 6
"""How many requests are made up for each endpoint, each of them also in a broken variant."""
PASSWORD = "a driver's long password"

load_all_checks()
HELD = CHECKS.get_by_names(
    ["not_a_server_error", "response_schema_conformance", "content_type_conformance", "status_code_conformance"]
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A Wattkeeper that is asked everything."""
    with serving(tmp_path_factory.mktemp("described"), staff_passkeys=False) as made:  # else an owner may do nothing
        yield made


def headers_of(running: Serving, who: str) -> dict[str, str]:
    """What says who asks: a program that may do everything, an owner, a driver."""
    access = running.rooms.access
    if who == "program":
        token = running.run(access.make_token("everything", grants(Role.SERVICE).anywhere))
        return {"Authorization": f"Bearer {token}"}
    running.run(access.make_account(f"{who}@example.org", PASSWORD, Role(who)))
    cookie = running.run(access.sign_in(f"{who}@example.org", PASSWORD, "127.0.0.1"))
    return {"Cookie": f"wattkeeper={cookie}", "Origin": running.doors.http, "Sec-Fetch-Site": "same-origin"}


ENDS_SIGN_IN = {"POST /api/v1/sign-out", "POST /api/v1/account/forgetting"}
"""What would end the sign-in that the other requests need."""
PATIENT = ("wait", "timeout")
"""Parameters that say how long to wait for a station; there is none here."""


@pytest.mark.long
@pytest.mark.parametrize("who", ["program", "owner", "driver"])
def test_every_answer_is_as_described_and_none_is_a_fault(running: Serving, who: str) -> None:
    headers = headers_of(running, who)
    schema = schemathesis.openapi.from_url(f"{running.doors.http}/api/v1/openapi.json")
    faults: list[str] = []
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        if operation.label not in ENDS_SIGN_IN and not _streams(operation):
            try:
                _try(operation, headers)
            except Exception as fault:
                faults.append(f"{operation.label}: {fault}")
    assert not faults, "\n\n".join(faults)
    me = httpx.get(f"{running.doors.http}/api/v1/me", headers=headers).json()
    assert me["scopes"] or me["own"], "whoever asked was let in until the end"
    assert who != "owner" or Scope.STAFF_WRITE in me["scopes"], "and an owner could do what owners do"


def _streams(operation: Any) -> bool:
    """Whether its answer never ends."""
    answers = operation.definition.raw["responses"].values()
    return any("text/event-stream" in answer.get("content", {}) for answer in answers)


def _try(operation: Any, headers: dict[str, str]) -> None:
    """Ask one endpoint many things."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def one(case: Any) -> None:
        for name in PATIENT:
            if isinstance((case.query or {}).get(name), int | float):
                case.query[name] = 0
        response = case.call(headers=headers, timeout=30)
        case.validate_response(response, checks=HELD, headers=headers)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one()
