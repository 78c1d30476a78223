"""What is pushed turns the page that is open into the page that would be loaded now."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from wattkeeper.web.operator.region import Region, changes

ROWS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 3), max_size=8)
SWAP = re.compile(r'hx-swap-oob="(\w+)(?::#([\w-]+))?"')
ROW = re.compile(r'<tr id="row-(\w)"[^>]*>(\d)</tr>')


def region(rows: dict[str, int]) -> Region:
    """A table of these rows."""
    return Region("list", {f"row-{key}": Markup(f'<tr id="row-{key}">{value}</tr>') for key, value in rows.items()})


def swapped(shown: list[tuple[str, str]], fragment: str) -> list[tuple[str, str]]:
    """The rows after one out-of-band swap, as htmx does it."""
    found = SWAP.search(fragment)
    assert found, fragment
    how, target = found.groups()
    came = ROW.findall(fragment)
    if how == "innerHTML":
        assert target == "list"
        return came
    if how == "afterbegin":
        return [*came, *shown]
    names = [f"row-{key}" for key, _ in shown]
    place = names.index(target or f"row-{came[0][0]}")
    if how == "afterend":
        return [*shown[: place + 1], *came, *shown[place + 1 :]]
    assert how in ("delete", "true"), how
    return [*shown[:place], *came, *shown[place + 1 :]]


@given(ROWS, ROWS)
def test_changes_lead_from_any_state_to_any_other(before: dict[str, int], after: dict[str, int]) -> None:
    shown = [(key, str(value)) for key, value in before.items()]
    for fragment in changes([region(before)], [region(after)]):
        shown = swapped(shown, fragment)
    assert shown == [(key, str(value)) for key, value in after.items()]


@given(ROWS)
def test_what_did_not_change_is_not_sent(rows: dict[str, int]) -> None:
    assert [*changes([region(rows)], [region(rows)])] == []


def test_one_changed_row_is_sent_alone() -> None:
    before, after = {"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 2, "c": 1}
    assert [*changes([region(before)], [region(after)])] == ['<tr id="row-b" hx-swap-oob="true">2</tr>']


def test_a_page_of_an_unknown_state_gets_everything() -> None:
    sent = [*changes(None, [region({"a": 1})])]
    assert sent == ['<tbody hx-swap-oob="innerHTML:#list"><tr id="row-a">1</tr></tbody>']
