"""Papers: what a bill says as PDF and for machines, in both languages, whatever people and stations are called."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from facturx import xml_check_xsd
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from pypdf import PdfReader

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.money.bill import price
from wattkeeper.charging.money.numbered import DocumentKind, Draft, Explanation, Tax, taxes_of
from wattkeeper.charging.money.payments.paying import Way
from wattkeeper.charging.money.tariffs.assignment import Rank
from wattkeeper.charging.money.tariffs.tariff import Bound, Component, Dimension, Element, Tariff
from wattkeeper.charging.money.usage import planned
from wattkeeper.operations.money.papers.machines.einvoice import einvoice
from wattkeeper.operations.money.papers.machines.facturx import NAMESPACE, SAID
from wattkeeper.operations.money.papers.owing import Owing, set_against
from wattkeeper.operations.money.papers.paper import Paper, Party, told
from wattkeeper.operations.money.papers.printing import BOX, UNWRITTEN, printed, writable
from wattkeeper.store.money.bill import BillRow

AT = datetime(2026, 3, 16, 14, 5, tzinfo=UTC)
SELLER = Party("Strom & Rad GmbH", "Hauptplatz 1", "8010", "Graz", "AT", "ATU12345678")
BUYER = Party("Muster <AG>", "Ring 2", "1010", "Wien", "AT", "ATU87654321")
HOSTILE = (
    '#panic("out")',
    "*bold* _it_ $x$ `raw` // no",
    ']#read("/etc/passwd")#[',
    '"}, {"title": "other',
    "https://example.org/ mailto:a@example.org",
    "<label> @ref \\u{41} \\",
    "#import sys: *; #sys.inputs",
    "Łukasz Ďuriš, Ελένη, Кирилл, 漢字, 😀, العربية, \u202egnol",
    "\x00\x07\x1b[31m\ufffe\u0301\u0489",
)
"""Names that would be more than words, were they read as anything but words."""
RAM = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"


def tariff(**more: object) -> Tariff:
    """A start, energy, and idle time at another rate of tax."""
    flat = Component(Dimension.FLAT, Decimal("1.00"), Decimal(20))
    energy = Component(Dimension.ENERGY, Decimal("0.4158"), Decimal(20))
    idle = Component(Dimension.PARKING_TIME, Decimal("2.40"), Decimal(10))
    return Tariff("EUR", (Element((flat, energy, idle)),), **more)  # type: ignore[arg-type]


def paper(
    kind: DocumentKind = DocumentKind.BILL, what: Tariff | None = None, station: str = "CP1", **more: object
) -> Paper:
    """A paper of 23.456 kWh and some idle time; of a correction, what is left after ``before`` was billed."""
    what = what or tariff()
    used = planned(AT, Decimal(23_456), Decimal(10_800), Decimal(2_000))
    bill = price(used, what)
    before = more.pop("before", ())
    why = Explanation(
        session="K7QM4XRDT",
        station=station,
        evse=2,
        started_at=AT,
        ended_at=AT + timedelta(hours=4),
        grade=Grade.MEASURED,
        reasons=(),
        tariff_id="standard",
        version=3,
        rank=Rank.STANDARD,
        subject="",
        tariff=what,
        usage=used,
        bill=bill,
        told_minor=bill.gross_minor,
        told_wh=used.energy_wh,
        before=before,  # type: ignore[arg-type]
        reason=None if kind is DocumentKind.BILL else "Goodwill.",
    )
    draft = Draft(kind=kind, why=why, site="Yard", group="", person="person:1", by="wattkeeper")
    row = _row(draft)
    given = {"row": row, "why": why, "seller": SELLER, "zone": ZoneInfo("Europe/Vienna"), "buyer": BUYER}
    return Paper(**(given | {"is_invoice": True, "iban": "AT61 1904 3002 3457 3201"} | more))  # type: ignore[arg-type]


def _row(draft: Draft) -> BillRow:
    why, corrects = draft.why, None if draft.kind is DocumentKind.BILL else "2026-000100"
    return BillRow(
        number="2026-000123",
        place=123,
        kind=draft.kind,
        session=why.session,
        station=why.station,
        site=draft.site,
        group=draft.group,
        person=draft.person,
        tariff=why.tariff_id,
        version=why.version,
        currency=why.bill.currency,
        digits=why.bill.digits,
        net_minor=draft.net_minor,
        vat_minor=draft.vat_minor,
        gross_minor=draft.gross_minor,
        energy_wh=why.adds_wh,
        started_at=why.started_at,
        ended_at=why.ended_at,
        issued_at=why.ended_at + timedelta(minutes=5),
        grade=why.grade,
        corrects=corrects,
        reason=why.reason,
        by=draft.by,
        digest="ab" * 32,
    )


async def read(one: Paper, language: str = "en", invoice: bytes | None = None) -> PdfReader:
    """A paper, printed and opened."""
    return PdfReader(io.BytesIO(await printed(told(one, language), one.row.issued_at, invoice)))


def words(reader: PdfReader) -> str:
    """All its words, in one line."""
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


async def test_a_receipt_says_number_lines_total_and_session() -> None:
    text = words(await read(replace(paper(), is_invoice=False, buyer=None)))
    for said in ("Bill 2026-000123", "K7QM-4XRD-T", "23.456 kWh at €0.4158 without tax", "€12.09 €2.28 €14.37"):
        assert said in text
    assert "Started 16 March 2026, 15:05:00 Ended" in text
    assert "from 16 March 2026, 15:05:00 (estimated) to 16 March 2026, 18:05:00" in text
    assert text.count("UTC") == text.count("Europe/Vienna (UTC+01:00)") == 1, "the zone is said once"
    assert "2026-03-16" not in text, "there is one form of a day"
    assert "Please pay" not in text


async def test_over_the_night_that_has_an_hour_twice_each_time_says_its_offset() -> None:
    one = paper()
    began = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    one = replace(one, row=replace(one.row, started_at=began, ended_at=began + timedelta(hours=1)))
    text = words(await read(one, "de"))
    assert "Begonnen 25. Oktober 2026, 02:30:00 (UTC+02:00) Beendet 25. Oktober 2026, 02:30:00 (UTC+01:00)" in text
    assert "Zeitzone Europe/Vienna" in text


async def test_an_invoice_names_both_and_is_told_in_german() -> None:
    text = words(await read(paper(), "de"))
    for said in ("Rechnung 2026-000123", "Muster <AG>", "USt-IdNr. ATU87654321", "USt-IdNr. ATU12345678", "Österreich"):
        assert said in text
    assert "Bitte überweisen Sie 14,37 € bis 30. März 2026 auf das Konto AT61 1904 3002 3457 3201" in text
    assert "23,456 kWh zu 0,4158 € ohne Steuer" in text
    english = set(words(await read(paper(), "en")).split())
    assert not {"Invoice", "Please", "Started", "Total", "Page", "For", "Number"} & set(text.split()) & english


async def test_it_is_tagged_archived_and_attached() -> None:
    one = paper()
    reader = await read(one, "de", einvoice(one, "de"))
    root, meta = _plain(reader.trailer["/Root"]), reader.xmp_metadata
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].startswith("de")
    assert root["/StructTreeRoot"]["/Type"] == "/StructTreeRoot"
    assert meta is not None
    told_ = etree.tostring(etree.fromstring(meta.stream.get_data())).decode()
    assert ">3</pdfaid:part>" in told_
    assert ">A</pdfaid:conformance>" in told_
    assert ">1</pdfuaid:part>" in told_
    assert reader.attachments["factur-x.xml"] == [einvoice(one, "de")]
    told_fx = {one.tag.rpartition("}")[2]: one.text for one in etree.fromstring(told_).iter(f"{{{NAMESPACE}}}*")}
    assert told_fx == {name: value for name, (value, _) in SAID.items()}
    assert all(font["/FontDescriptor"] for font in _fonts(reader)), "every font is in the file"


def _plain(found: object) -> Any:
    """What was found in a file, whatever it is."""
    return found


def _fonts(reader: PdfReader) -> list[Any]:
    """The fonts of the first page."""
    fonts = _plain(reader.pages[0]["/Resources"])["/Font"]
    return [one.get_object()["/DescendantFonts"][0].get_object() for one in fonts.values()]


async def test_the_same_bill_is_the_same_bytes() -> None:
    one = paper()
    first, again = [await printed(told(one, "en"), one.row.issued_at, einvoice(one, "en")) for _ in range(2)]
    assert first == again


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_name_is_never_more_than_a_name(name: str) -> None:
    one = paper(station=name, buyer=replace(BUYER, name=name, street=name), seller=replace(SELLER, name=name))
    reader = await read(one, "en", einvoice(one, "en"))
    plain, shown = "".join(writable(name).split()), "".join(words(reader).split())
    if BOX not in plain:
        assert plain in shown
    assert "2026-000123" in shown
    assert "passwd" in shown or "passwd" not in name
    assert "root:" not in shown
    names = {*_names(reader)}
    assert "/StructTreeRoot" in names, "the control: all of it was looked at"
    assert not ACTS & names, "nothing in it does anything, and nothing leads anywhere"


ACTS = {"/JavaScript", "/JS", "/OpenAction", "/AA", "/Launch", "/URI", "/GoToR", "/SubmitForm", "/AcroForm"}
"""What makes a PDF do something."""


def _names(reader: PdfReader) -> Iterator[str]:
    """Every name that stands in a file."""
    for number in range(1, len(reader.xref_objStm) + sum(map(len, reader.xref.values())) + 1):
        found = reader.get_object(number)
        yield from found if isinstance(found, dict) else ()


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60))
async def test_whatever_somebody_is_called_it_is_printed(name: str) -> None:
    one = paper(buyer=replace(BUYER, name=name))
    assert (await printed(told(one, "en"), one.row.issued_at)).startswith(b"%PDF")


async def test_every_sign_that_is_taken_has_a_shape() -> None:
    every = [chr(code) for code in range(0x2700) if not UNWRITTEN.match(chr(code))]
    assert len(every) > 1_300
    one = paper(buyer=Party(" ".join(every)))
    assert (await printed(told(one, "en"), one.row.issued_at)).startswith(b"%PDF")


def paid_by(way: Way | None, still: int = 0, **more: Any) -> Paper:
    """An invoice of 14.37 that is paid this way."""
    return replace(paper(), owing=Owing(still, more.pop("left", 1437), way, **more))


PAID: dict[str, tuple[Paper, str, str, str]] = {
    "free": (paid_by(Way.FREE), "Covered by Strom & Rad GmbH", "Strom & Rad GmbH übernimmt den Betrag", "0"),
    "balance": (paid_by(Way.PREPAID), "Taken from the prepaid balance", "Vom Guthaben abgebucht", "0"),
    "card": (paid_by(Way.CARD), "Paid by card", "Mit Karte bezahlt", "0"),
    "declined": (paid_by(Way.CARD, 1437), "€14.37 was not taken yet", "14,37 € wurden noch nicht", "14.37"),
    "month": (paid_by(Way.INVOICE, invoice="M2026-000007"), "invoice M2026-000007", "Monatsrechnung M2026-0", "0"),
    "this month": (paid_by(Way.INVOICE), "It comes onto the monthly invoice", "kommt auf die Monatsrechnung", "0"),
    "reduced": (
        paid_by(None, 140, left=140, reduced_by=("2026-000200",)),
        "Reduced by credit note 2026-000200: €1.40 is left. Please pay €1.40 by 30 March 2026",
        "Vermindert durch Gutschrift 2026-000200: es bleiben 1,40 €. Bitte überweisen Sie 1,40 €",
        "1.40",
    ),
    "all of it": (paid_by(None, left=0, reduced_by=("2026-000200",)), "Nothing is left to pay", "nichts mehr zu", "0"),
}


@pytest.mark.parametrize("name", PAID)
async def test_an_invoice_asks_for_nothing_that_is_not_owed(name: str) -> None:
    one, english, german, due = PAID[name]
    told_, gesagt = words(await read(one)), words(await read(one, "de"))
    assert english in told_
    assert german in gesagt
    asks = one.owed.way is None and due != "0"
    for text, ask in ((told_, "Please pay €"), (gesagt, "Bitte überweisen")):
        assert (ask in text, "AT61 1904" in text) == (asks, asks), text
    xml = einvoice(one, "en")
    assert xml_check_xsd(xml, flavor="factur-x", level="en16931")
    assert amounts(xml, "GrandTotalAmount") == [Decimal("14.37")]
    assert amounts(xml, "DuePayableAmount") == [Decimal(due)]
    assert sum(amounts(xml, "TotalPrepaidAmount")) == Decimal("14.37") - Decimal(due), "EN 16931, BR-CO-16"
    assert bool(texts(xml, "IBANID")) == asks
    assert bool(texts(xml, "DueDateDateTime")) == (due != "0"), "EN 16931, BR-CO-25"
    assert english.split(". ")[0] in " ".join(texts(xml, "Description"))


def test_a_credit_note_takes_from_the_oldest_that_is_left() -> None:
    rows = [
        replace(paper().row, number=str(place), gross_minor=amount)
        for place, amount in enumerate((1000, 500, -1200, 300, -1000))
    ]
    left, notes = set_against(rows)
    assert left == {"0": 0, "1": 0, "2": 0, "3": 0, "4": -400}
    assert notes == {"0": ("2",), "1": ("2", "4"), "3": ("4",)}


def test_what_a_person_changed_is_a_line_with_their_reason() -> None:
    one = paper()
    one = replace(one, why=replace(one.why, extra=(Tax(Decimal(20), -100, -20),), reason="The plug was broken."))
    told_ = told(one, "en")
    assert [line["what"] for line in told_["lines"]][-1] == "Changed by a person: The plug was broken."
    assert "Changed by a person: The plug was broken." not in told_["why"], "once is enough"
    note = paper(DocumentKind.CREDIT_NOTE, before=(Tax(Decimal(20), 9999, 2000),))
    assert "Changed by a person: Goodwill." in texts(einvoice(note, "en"), "Name")


# --- for machines ---------------------------------------------------------------------------------------------


def amounts(xml: bytes, name: str) -> list[Decimal]:
    """Every amount of a name, in order."""
    return [Decimal(one.text) for one in etree.fromstring(xml).iter(f"{{{RAM}}}{name}")]


def texts(xml: bytes, name: str) -> list[str]:
    """Every text of a name, in order."""
    return [str(one.text) for one in etree.fromstring(xml).iter(f"{{{RAM}}}{name}")]


ENERGY_ALONE = (Element((Component(Dimension.ENERGY, Decimal("0.4158"), Decimal(20)),)),)
TARIFFS = {
    "plain": tariff(),
    "with tax": tariff(tax_included=True),
    "at least": Tariff("EUR", ENERGY_ALONE, least=Bound(Decimal(30))),
    "at most": Tariff("EUR", ENERGY_ALONE, most=Bound(Decimal(5))),
    "untaxed": Tariff("EUR", (Element((Component(Dimension.ENERGY, Decimal("0.50"), None),)),)),
    "no tax": Tariff("EUR", (Element((Component(Dimension.ENERGY, Decimal("0.50"), Decimal(0)),)),)),
    "yen": Tariff("JPY", (Element((Component(Dimension.ENERGY, Decimal(60), Decimal(10)),)),)),
}


@pytest.mark.parametrize("name", TARIFFS)
def test_an_invoice_for_machines_is_valid_and_adds_up(name: str) -> None:
    one = paper(what=TARIFFS[name])
    xml = einvoice(one, "en")
    assert xml_check_xsd(xml, flavor="factur-x", level="en16931")
    _adds_up(one, xml, 1)
    assert texts(xml, "TypeCode")[0] == "380"


def _adds_up(one: Paper, xml: bytes, sign: int) -> None:
    """Its amounts are the bill's, and each sum is the sum of what it is of."""
    row = one.row
    net, vat, gross = (
        Decimal(sign * part).scaleb(-row.digits) for part in (row.net_minor, row.vat_minor, row.gross_minor)
    )
    *lines, total = amounts(xml, "LineTotalAmount")
    assert sum(lines) == total == net == sum(amounts(xml, "BasisAmount"))
    assert sum(amounts(xml, "CalculatedAmount")) == vat == amounts(xml, "TaxTotalAmount")[0]
    assert amounts(xml, "GrandTotalAmount") == amounts(xml, "DuePayableAmount") == [gross]
    assert [Decimal(rate) for rate in texts(xml, "RateApplicablePercent")[len(lines) :]] == [
        tax.vat_percent or 0 for tax in one.why.adds
    ]
    for tax in one.why.adds:
        exact = Decimal(tax.net_minor) * (tax.vat_percent or 0) / 100
        assert abs(exact - tax.vat_minor) <= 100, "EN 16931, BR-CO-17"
        assert tax.vat_minor == 0 or tax.vat_percent, "EN 16931, BR-E-09 and BR-Z-09"
    assert all(price >= 0 for price in amounts(xml, "ChargeAmount"))


def test_what_changes_a_bill_says_which_and_how_much() -> None:
    taxes = taxes_of(paper().why.bill)
    more = [Tax(one.vat_percent, one.net_minor * 2, one.vat_minor * 2) for one in taxes]
    note = paper(DocumentKind.CREDIT_NOTE, before=tuple(more))
    xml = einvoice(note, "en")
    assert xml_check_xsd(xml, flavor="factur-x", level="en16931")
    assert (texts(xml, "TypeCode")[0], texts(xml, "IssuerAssignedID")) == ("381", ["2026-000100"])
    assert note.row.gross_minor == -1437
    assert amounts(xml, "GrandTotalAmount") == [Decimal("14.37")]
    _adds_up(note, xml, -1)
    correction = paper(DocumentKind.CORRECTION, before=(Tax(Decimal(20), 100, 20),))
    xml = einvoice(correction, "en")
    assert xml_check_xsd(xml, flavor="factur-x", level="en16931")
    assert (texts(xml, "TypeCode")[0], texts(xml, "IssuerAssignedID")) == ("384", ["2026-000100"])
    _adds_up(correction, xml, 1)


BOUNDS = {"least": Decimal(30), "most": Decimal(5)}


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_bound_over_several_rates_is_shared_out_over_them(bound: str) -> None:
    one = paper(what=tariff(**{bound: Bound(BOUNDS[bound])}))
    xml = einvoice(one, "en")
    assert xml_check_xsd(xml, flavor="factur-x", level="en16931")
    assert one.row.net_minor == BOUNDS[bound] * 100
    _adds_up(one, xml, 1)


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_bound_that_no_mixture_of_rates_makes_is_refused_to_machines(bound: str) -> None:
    amount = BOUNDS[bound]
    one = paper(what=tariff(**{bound: Bound(amount, amount * (2 if bound == "least" else 1))}))
    with pytest.raises(Refusal, match="a rate for each amount"):
        einvoice(one, "en")


def test_coins_too_small_for_machines_are_refused() -> None:
    one = paper(what=Tariff("KWD", (Element((Component(Dimension.ENERGY, Decimal("0.050"), None),)),)))
    with pytest.raises(Refusal, match="two places"):
        einvoice(one, "en")
