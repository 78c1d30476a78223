"""A row of group C whose door does not exist: the day it is made, its test fails and says what it must withstand."""

from __future__ import annotations

import pytest

from tests.attacks.test_e_doors import routes
from tests.web.conftest import House
from tests.web.drivers import signed_in
from wattkeeper.charging.person import Role


@pytest.fixture
def engine() -> str:
    """What is not there is in no store."""
    return "sqlite"


def paths(house: House) -> list[str]:
    """Every address that is served."""
    return [one.path for one in routes(house.app) if hasattr(one, "path")]


async def test_c22_a_driver_reserves_nothing_and_cancels_nothing(house: House) -> None:
    """Only who may send stations any command can; the day drivers can reserve, whose it is must be asked."""
    for role in (Role.DRIVER, Role.SITE_HOST, Role.SUPPORT):
        async with signed_in(house, f"{role.value}@example.org", role, ("Yard",)) as (_, client):
            for action in ("ReserveNow", "CancelReservation"):
                answer = await client.post(f"/api/v1/stations/CP1/ocpp/{action}", json={"reservationId": 1})
                assert answer.status_code == 403, (role, action)
    assert not [path for path in paths(house) if "reserv" in path.lower()]
