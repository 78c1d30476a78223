"""Settings: documented where they are, refused where they are wrong."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from wattkeeper.settings import THIS_MACHINE, Settings, documented, load

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"


def test_the_page_says_what_the_code_says() -> None:
    assert PAGE.read_text() == documented()


def test_every_setting_says_why() -> None:
    assert all(f.metadata["why"].endswith(".") for f in fields(Settings))


def test_the_environment_is_read_and_typed() -> None:
    read = load({"WATTKEEPER_OCPP_PORT": "9100", "WATTKEEPER_WAITING_ROOM": "yes", "WATTKEEPER_PING_S": "5"})
    assert (read.ocpp_port, read.waiting_room, read.ping_s) == (9100, True, 5.0)


def test_what_is_given_wins_over_the_environment() -> None:
    assert load({"WATTKEEPER_DATABASE": "sqlite:///a.db"}, database="sqlite:///b.db").database == "sqlite:///b.db"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WATTKEEPER_OCPP_PORT", "ninety", "WATTKEEPER_OCPP_PORT='ninety' is not a valid int"),
        ("WATTKEEPER_WAITING_ROOM", "maybe", "not a valid bool"),
        ("WATTKEEPER_DATABSE", "sqlite:///a.db", "Unknown setting WATTKEEPER_DATABSE"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load({name: value})


@pytest.mark.parametrize("host", sorted(THIS_MACHINE))
def test_this_machine_goes_by_its_name_so_that_passkeys_work(host: str) -> None:
    given = Settings(host=host, http_port=8090)
    assert (given.address, given.address_at(8091)) == ("http://localhost:8090", "http://localhost:8091")


def test_the_address_that_people_type_is_what_is_set() -> None:
    assert Settings(host="192.0.2.7").address == "http://192.0.2.7:8080"
    assert Settings(public_url="https://charge.example/").address_at(1) == "https://charge.example"
