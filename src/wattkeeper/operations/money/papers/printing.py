"""Papers as PDF, through Typst: archived for good (PDF/A-3a), legible to a screen reader (PDF/UA-1), the same bytes
for the same paper."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import typst

from wattkeeper.operations.money.papers.machines.facturx import marked

HERE = Path(__file__).parent
BILL, MONTH, YEAR, AUDIT = "paper.typ", "month.typ", "year.typ", "audit.typ"
STANDARDS: list[Any] = ["a-3a", "ua-1"]
UNWRITTEN = re.compile(
    "[^\x20-\x7e\xa0-\xac\xae-\u02af\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u0482\u048a-\u04ff\u1e00-\u1eff"
    "\u2010-\u2027\u202f-\u2040\u20a0-\u20bf\u2100-\u211e\u2122\u25a1]"
)
"""What the fonts that come with Typst have no sign for (they have Latin, Greek and Cyrillic). The standards allow no
missing sign, and some joined ones end the printer altogether: so a box stands for each."""
BOX = "\N{WHITE SQUARE}"
CONTENT = "receipt.json"
"""What the calculation of a bill is called in its paper."""


async def printed(
    words: Mapping[str, Any],
    issued_at: datetime,
    invoice: bytes | None = None,
    content: str = "",
    template: str = BILL,
) -> bytes:
    """The PDF of a paper that was told; attached to it its calculation and the invoice for machines, where given."""
    return await asyncio.to_thread(_printed, words, issued_at, invoice, content, template)


def _printed(
    words: Mapping[str, Any], issued_at: datetime, invoice: bytes | None, content: str, template: str
) -> bytes:
    inputs = {"paper": orjson.dumps(writable(words)).decode()}
    if content:
        inputs["content"] = content
    if invoice is not None:
        inputs["invoice"] = invoice.decode()
    compiler = typst.Compiler(HERE.joinpath(template), root=HERE, font_paths=_fonts(), sys_inputs=inputs)
    at = issued_at.astimezone(UTC).replace(microsecond=0)
    made = compiler.compile(format="pdf", pdf_standards=STANDARDS, timestamp=at)
    assert isinstance(made, bytes)
    return made if invoice is None else marked(made)


@cache
def _fonts() -> typst.Fonts:
    """Those that come with Typst: no other, so that a paper looks the same wherever it is printed."""
    return typst.Fonts(include_system_fonts=False)


def writable(words: Any) -> Any:
    """Words with a box for each sign that the fonts do not have."""
    if isinstance(words, str):
        return UNWRITTEN.sub(BOX, unicodedata.normalize("NFC", words))
    if isinstance(words, Mapping):
        return {name: writable(value) for name, value in words.items()}
    return [writable(one) for one in words]
