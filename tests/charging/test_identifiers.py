"""Session ids that people say aloud."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.charging.identifiers import ALPHABET, parse, session_id, shown

IDS = st.integers(0, 2**40 - 1).map(session_id)


@given(IDS)
def test_what_is_shown_is_found(identifier: str) -> None:
    assert parse(shown(identifier)) == identifier


@given(IDS, st.data())
def test_every_single_slip_is_caught(identifier: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, 8))
    for symbol in set(ALPHABET) - {identifier[place]}:
        assert parse(identifier[:place] + symbol + identifier[place + 1 :]) is None


@given(IDS)
def test_every_swap_of_neighbours_is_caught(identifier: str) -> None:
    for place in range(8):
        swapped = identifier[:place] + identifier[place + 1] + identifier[place] + identifier[place + 2 :]
        assert swapped == identifier or parse(swapped) is None


@given(IDS)
def test_look_up_forgives_case_spaces_and_look_alikes(identifier: str) -> None:
    said = shown(identifier).lower().replace("0", "o").replace("1", "l").replace("-", " ")
    assert parse(f"  {said} ") == identifier
    assert parse(said.replace("l", "I")) == identifier


def test_what_is_no_id_is_none() -> None:
    for said in ("", "K7QM", "K7QM-4XRD", "U7QM-4XRD-2", "K7QM-4XRD-T2", "½" * 9, "K" * 100_000):
        assert parse(said) is None


def test_the_example_that_we_show_is_a_true_one() -> None:
    assert parse("K7QM-4XRD-T") == "K7QM4XRDT"
