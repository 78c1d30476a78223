"""A receipt as a file: whoever holds it works it out again, and whatever was changed in it is found."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.operations.test_papers import TARIFFS, paper
from wattkeeper.__main__ import app
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.money.numbered import DocumentKind, Tax
from wattkeeper.operations.money.papers.paper import told
from wattkeeper.operations.money.papers.printing import printed
from wattkeeper.operations.money.papers.verifying import verified
from wattkeeper.store.money.bill import digest
from wattkeeper.store.money.content import encode


def written(tmp_path: Path, content: str | bytes, name: str = "receipt.json") -> Path:
    """A file of this content."""
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("name", TARIFFS)
def test_what_was_issued_holds(tmp_path: Path, name: str) -> None:
    content = encode(paper(what=TARIFFS[name]).why)
    verdict = verified(written(tmp_path, content), digest(content).upper())
    assert verdict.holds, verdict.faults
    assert verdict.digest == digest(content)


def test_a_correction_holds_too(tmp_path: Path) -> None:
    why = paper(DocumentKind.CORRECTION, before=(Tax(None, 100, 0),)).why
    assert verified(written(tmp_path, encode(why))).holds


def test_the_paper_carries_its_own_calculation(tmp_path: Path) -> None:
    one = paper()
    pdf = asyncio.run(printed(told(one, "de"), one.row.issued_at, content=encode(one.why)))
    path = written(tmp_path, pdf, "2026-000123.pdf")
    assert verified(path).holds
    done = CliRunner().invoke(app, ["verify", "receipt", str(path)])
    assert (done.exit_code, "It holds" in done.output) == (0, True), done.output
    bare = written(tmp_path, asyncio.run(printed(told(one, "de"), one.row.issued_at)), "bare.pdf")
    with pytest.raises(Refusal, match="carries no calculation"):
        verified(bare)


def _leaves(told_: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of everything in a JSON document that has no parts."""
    if isinstance(told_, dict):
        return [leaf for key, value in told_.items() for leaf in _leaves(value, (*path, key))]
    if isinstance(told_, list):
        return [leaf for index, value in enumerate(told_) for leaf in _leaves(value, (*path, index))]
    return [path]


def _changed(told_: Any, path: tuple[Any, ...]) -> Any:
    """The document with another value at a place."""
    made = json.loads(json.dumps(told_))
    part = made
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = _other(part[path[-1]])
    return made


def _other(value: Any) -> Any:
    """Another value of the same look: a number that is one more, a text of which a digit is another."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    digits = [place for place, sign in enumerate(value) if sign.isdigit()]
    if not digits:
        return value + "x"
    place = digits[0]
    return value[:place] + str((int(value[place]) + 1) % 10) + value[place + 1 :]


UNPRICED = {"power_w", "current_a", "started_at"}
"""What no price of this tariff looks at: that it was changed only its SHA-256 tells."""


def test_whatever_of_its_money_is_changed_is_found(tmp_path: Path) -> None:
    content = encode(paper().why)
    told_ = json.loads(content)
    places = [path for path in _leaves(told_) if path[0] in ("bill", "usage", "adds", "format") or "price" in path]
    places = [path for path in places if not UNPRICED & {*path}]
    assert len(places) > 60
    kept = [path for path in places if _holds(tmp_path, _changed(told_, path))]
    assert not kept, kept


def _holds(tmp_path: Path, told_: Any) -> bool:
    """Whether a document passes."""
    text = json.dumps(told_, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        return verified(written(tmp_path, text)).holds
    except Refusal:
        return False


def test_whatever_else_is_changed_its_hash_tells(tmp_path: Path) -> None:
    content = encode(paper().why)
    forged = content.replace('"station":"CP1"', '"station":"CP2"')
    assert forged != content
    assert verified(written(tmp_path, forged)).holds
    assert not verified(written(tmp_path, forged), digest(content)).holds


def test_another_tariff_is_said_with_both_amounts(tmp_path: Path) -> None:
    dear = replace(paper().why, tariff=TARIFFS["at least"])
    done = CliRunner().invoke(app, ["verify", "receipt", str(written(tmp_path, encode(dear)))])
    assert done.exit_code == 1
    assert "By its tariff it comes to" in done.output


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"{}", b'{"format":"wattkeeper-bill-1"}', b"\xff\xfe", b"%PDF-1.7", b"[" * 100_000],
)
def test_what_is_no_receipt_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Refusal, match="not a receipt"):
        verified(written(tmp_path, content))
    with pytest.raises(Refusal, match="cannot be read"):
        verified(tmp_path / "elsewhere.json")


HOSTILE = {
    "vat": lambda told_: told_["tariff"]["terms"]["elements"][0]["price_components"][0].update(vat="1E-99999999"),
    "energy": lambda told_: told_["usage"]["intervals"][0].update(energy_wh="9" * 40),
    "currency": lambda told_: told_["tariff"]["terms"].update(currency=["EUR"]),
    "number": lambda told_: told_["tariff"]["terms"].update(currency=1),
    "rate": lambda told_: told_["tariff"]["terms"]["elements"][0]["price_components"][0].update(x_tax_rate={}),
    "many": lambda told_: told_["tariff"]["terms"]["elements"][0].update(
        price_components=told_["tariff"]["terms"]["elements"][0]["price_components"] * 2000
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_at_once(tmp_path: Path, name: str) -> None:
    told_ = json.loads(encode(paper().why))
    HOSTILE[name](told_)
    assert not _holds(tmp_path, told_)


def test_a_file_cannot_speak_for_us(tmp_path: Path) -> None:
    station = "CP1\\nIt holds: worked out again\\u001b[8m"
    content = encode(paper().why).replace('"station":"CP1"', f'"station":"{station}"')
    done = CliRunner().invoke(app, ["verify", "receipt", str(written(tmp_path, content))])
    assert "\x1b" not in done.output
    assert len([line for line in done.output.splitlines() if line.startswith("It holds")]) <= 1
    assert "\N{REPLACEMENT CHARACTER}It holds" in done.output
