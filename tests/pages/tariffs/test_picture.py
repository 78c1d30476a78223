"""The picture of a week: every figure can be read on its block, and a colour-blind person sees what is dearer."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise

import pytest

from tests.pages.test_look import contrast, luminance
from wattkeeper.charging.money.tariffs.tariff import Dimension, Tariff
from wattkeeper.charging.money.tariffs.week import DAY_MIN
from wattkeeper.store.money.tariffs.ocpi import of_ocpi
from wattkeeper.web import bundle
from wattkeeper.web.operator.tariffs.picture import LEVELS, Picture, pictures

STYLE = (bundle.SOURCES / "tariffs.css").read_text()
SCHEMES = pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])


def colours(scheme: int) -> dict[str, str]:
    """The colours of blocks and figures."""
    part = STYLE.split("@media")[scheme]
    return dict(re.findall(r"--(p[0-9](?:-ink)?): (#[0-9a-f]{6});", part))


@SCHEMES
def test_every_figure_can_be_read_on_its_block(scheme: int) -> None:
    found = colours(scheme)
    assert len(found) == 2 * (LEVELS + 1)
    for level in range(LEVELS + 1):
        assert contrast(found[f"p{level}"], found[f"p{level}-ink"]) >= 7, level


@SCHEMES
def test_the_dearer_the_further_from_the_paper_in_lightness_alone(scheme: int) -> None:
    shades = [luminance(colours(scheme)[f"p{level}"]) for level in range(1, LEVELS + 1)]
    for one, other in pairwise(reversed(shades) if scheme == 0 else shades):
        assert (other + 0.05) / (one + 0.05) >= 1.25, shades


def week_of(*elements: tuple[str, dict[str, object]]) -> Picture:
    """The picture of a tariff of prices for a kWh and when they hold."""
    told = [
        {"price_components": [{"type": "ENERGY", "price": price}], "restrictions": when} for price, when in elements
    ]
    return pictures(of_ocpi({"currency": "EUR", "elements": told}), MONDAY)[0]


MONDAY = date(2026, 11, 30)


def test_blocks_cover_the_week_once_and_say_their_figures() -> None:
    made = week_of(
        ("0.29", {"start_time": "22:00", "end_time": "06:00"}),
        ("0.59", {"start_time": "17:00", "end_time": "20:00", "day_of_week": ["MONDAY", "TUESDAY"]}),
        ("0.45", {}),
    )
    area = sum(block.wide * block.high for block in made.blocks)
    assert round(area) == 100 * 7 * 34
    assert {(str(block.label), block.level) for block in made.blocks} == {
        ("€0.29", "1"),
        ("€0.45", "3"),
        ("€0.59", "5"),
    }
    assert str(made.title) == "€0.29 to €0.59 for a kWh"
    assert sum(len(row.prices) for row in made.rows) == len(made.rows) == 6


def test_what_is_free_and_what_has_no_price_are_told_apart() -> None:
    made = week_of(("0", {"end_time": "06:00"}), ("1", {"start_time": "12:00"}))
    assert {(str(block.label), block.level) for block in made.blocks} == {
        ("free", "0"),
        ("no price", "none"),
        ("€1.00", "3"),
    }


def test_a_figure_is_never_wider_than_its_block() -> None:
    made = week_of(("0.35", {"start_time": "18:00", "end_time": "18:15", "day_of_week": ["SUNDAY"]}), ("0.49", {}))
    narrow = [block for block in made.blocks if block.wide < 100 * 60 / DAY_MIN]
    assert [(block.wide_way, block.phone_way) for block in narrow] == [("none", "none")]
    assert str(narrow[0].told) == "Sunday, 18:00 to 18:15: €0.35"


def test_a_tariff_without_a_price_has_no_picture() -> None:
    assert pictures(Tariff("EUR"), MONDAY) == ()
    (one,) = pictures(of_ocpi({"currency": "EUR", "elements": [{"price_components": [PARKING]}]}), MONDAY)
    assert one.dimension is Dimension.PARKING_TIME


PARKING = {"type": "PARKING_TIME", "price": 5}
