"""The audit by the API: what stations told and does not fit together, for those who may see sessions and bills."""

from __future__ import annotations

from tests.doors import KEY
from tests.web.conftest import House
from wattkeeper.charging.person import Scope

PERIOD = {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}


async def tell(house: House) -> None:
    """Two sessions at CP1, and 2.5 kWh between them that nobody paid for."""
    async with house.door.plugged("CP1", KEY) as station:
        await station.boot()
        for number, meter in enumerate((0, 12_500)):
            begun = {
                "connectorId": 1,
                "idTag": "04A1B2",
                "meterStart": meter,
                "timestamp": f"2026-03-0{number + 1}T12:00:00Z",
            }
            tx = (await station.call("StartTransaction", begun))[2]["transactionId"]
            ended = {"transactionId": tx, "meterStop": meter + 10_000, "timestamp": f"2026-03-0{number + 1}T13:00:00Z"}
            await station.call("StopTransaction", ended)


async def test_what_does_not_fit_together_is_told(house: House) -> None:
    await tell(house)
    answer = await house.api.get("/api/v1/audit/sessions", params=PERIOD)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["sessions"], told["count"], told["grave"]) == (2, 1, 1)
    assert told["totals"] == [{"kind": "unpaid_energy", "count": 1, "grave": 1, "energy_wh": 2500, "amounts": []}]
    (one,) = told["items"]
    assert (one["kind"], one["gravity"], one["station"], one["evse"]) == ("unpaid_energy", "grave", "CP1", 1)
    assert one["words"] == f"Since session {one['other']} the register rose by 2.50 kWh without a session."
    german = await house.api.get("/api/v1/audit/sessions", params=PERIOD, headers={"Accept-Language": "de"})
    assert german.json()["items"][0]["words"].startswith("Seit Ladevorgang")
    none = await house.api.get("/api/v1/audit/sessions", params={**PERIOD, "site": "Elsewhere"})
    assert none.json()["sessions"] == 0


async def test_it_needs_both_scopes_and_a_sane_period(house: House) -> None:
    for scopes in ((Scope.SESSIONS_READ,), (Scope.BILLS_READ,)):
        async with await house.with_scopes(*scopes) as client:
            assert (await client.get("/api/v1/audit/sessions")).status_code == 403
    async with await house.with_scopes(Scope.SESSIONS_READ, Scope.BILLS_READ) as client:
        assert (await client.get("/api/v1/audit/sessions")).status_code == 200
    for period in ({"from": PERIOD["to"], "to": PERIOD["from"]}, {**PERIOD, "from": "2020-01-01T00:00:00Z"}):
        assert (await house.api.get("/api/v1/audit/sessions", params=period)).status_code == 422
