"""Monthly invoices as papers: a line for each document, tax by rate, what is left to pay; and the same for machines."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from facturx import xml_check_xsd
from pypdf import PdfReader

from tests.operations.test_papers import BUYER, HOSTILE, SELLER, amounts, paper, texts, words
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.money.numbered import DocumentKind, Tax
from wattkeeper.operations.money.papers.monthly_paper import Entry, MonthlyPaper, monthly_einvoice, told
from wattkeeper.operations.money.papers.printing import BOX, MONTH, printed, writable
from wattkeeper.store.money.payments.monthly import InvoiceRow

IBAN = "AT61 1904 3002 3457 3201"


def monthly(*entries: Entry, paid: int = 0, station: str = "CP1") -> MonthlyPaper:
    """A monthly invoice over these documents; over a bill and what was given back of one, where none are said."""
    one, note = paper(station=station), paper(DocumentKind.CREDIT_NOTE, before=(Tax(Decimal(20), 1200, 240),))
    given = entries or (Entry(one.row, one.why.adds), Entry(replace(note.row, number="2026-000124"), note.why.adds))
    net, vat = (sum(getattr(entry.row, name) for entry in given) for name in ("net_minor", "vat_minor"))
    row = InvoiceRow(
        number="M2026-000007",
        series="2026",
        place=7,
        person="person:1",
        month="2026-03",
        currency=given[0].row.currency,
        digits=given[0].row.digits,
        net_minor=net,
        vat_minor=vat,
        gross_minor=net + vat,
        issued_at=datetime(2026, 4, 1, 0, 30, tzinfo=UTC),
        due_on="2026-04-15",
        content="[]",
        digest="0" * 64,
        by="wattkeeper",
    )
    zone = ZoneInfo("Europe/Vienna")
    return MonthlyPaper(
        row=row, entries=given, paid_minor=paid, seller=SELLER, zone=zone, buyer=BUYER, iban=IBAN, exemption=""
    )


async def read(one: MonthlyPaper, language: str = "en", invoice: bytes | None = None) -> PdfReader:
    """It, printed and opened."""
    made = await printed(told(one, language), one.row.issued_at, invoice, template=MONTH)
    return PdfReader(io.BytesIO(made))


async def test_it_has_a_line_for_each_document_tax_by_rate_and_what_to_pay() -> None:
    one = monthly()
    text, german = words(await read(one)), words(await read(one, "de"))
    gross = Decimal(one.row.gross_minor).scaleb(-2)
    for said in (
        "Monthly invoice M2026-000007",
        "2026-000123",
        "2026-000124",
        "23.46 kWh",
        "20 %",
        "10 %",
        "March 2026",
    ):
        assert said in text, text
    assert f"Please pay €{gross} by 15 April 2026 to the account {IBAN}, and name M2026-000007." in text
    assert "16 March 2026" in text
    for said in ("Monatsrechnung M2026-000007", "Steuer nach Satz", "15. April 2026", "März 2026", "Konto"):
        assert said in german, german


@pytest.mark.parametrize(("paid", "said"), [(100, "€1.00 of it was paid. Please pay"), (99_999, "nothing is left")])
async def test_what_was_paid_is_not_asked_for_again(paid: int, said: str) -> None:
    one = monthly(paid=paid)
    assert said in words(await read(one))
    xml = monthly_einvoice(one, "en")
    assert xml_check_xsd(xml, flavor="factur-x", level="en16931")
    gross = Decimal(one.row.gross_minor).scaleb(-2)
    due = max(gross - Decimal(paid).scaleb(-2), Decimal(0))
    assert amounts(xml, "DuePayableAmount") == [due]
    assert amounts(xml, "TotalPrepaidAmount") == [gross - due]
    assert bool(texts(xml, "IBANID")) == bool(due)


def adds_up(one: MonthlyPaper, xml: bytes, sign: int) -> None:
    """Each sum is the sum of what it is of."""
    *lines, total = amounts(xml, "LineTotalAmount")
    assert sum(lines) == total == sum(amounts(xml, "BasisAmount")) == Decimal(sign * one.row.net_minor).scaleb(-2)
    assert sum(amounts(xml, "CalculatedAmount")) == amounts(xml, "TaxTotalAmount")[0]
    gross = Decimal(sign * one.row.gross_minor).scaleb(-2)
    assert amounts(xml, "GrandTotalAmount") == amounts(xml, "DuePayableAmount") == [gross]
    assert all(price >= 0 for price in amounts(xml, "ChargeAmount"))


def test_for_machines_it_is_valid_and_adds_up() -> None:
    one = monthly()
    xml = monthly_einvoice(one, "en")
    assert xml_check_xsd(xml, flavor="factur-x", level="en16931")
    assert (texts(xml, "TypeCode")[0], texts(xml, "Name")[0]) == ("380", "2026-000123 · CP1")
    adds_up(one, xml, 1)
    note = one.entries[1]
    back = monthly(Entry(note.row, tuple(Tax(one.vat_percent, -2000, -400) for one in note.taxes[:1])))
    back = replace(back, row=replace(back.row, net_minor=-2000, vat_minor=-400, gross_minor=-2400))
    xml = monthly_einvoice(back, "en")
    assert xml_check_xsd(xml, flavor="factur-x", level="en16931")
    assert texts(xml, "TypeCode")[0] == "381"
    adds_up(back, xml, -1)


async def test_a_month_in_our_favour_of_nobody_asks_for_nothing() -> None:
    one = monthly()
    back = replace(one, row=replace(one.row, gross_minor=-240), buyer=None)
    text = words(await read(back))
    assert "in your favour" in text
    assert "Please pay" not in text


async def test_it_is_archived_and_as_long_as_it_must_be() -> None:
    one = monthly()
    many = [Entry(replace(one.entries[0].row, number=f"2026-{n:06}"), one.entries[0].taxes) for n in range(200)]
    long = monthly(*many)
    xml = monthly_einvoice(long, "de")
    reader = await read(long, "de", xml)
    assert reader.attachments["factur-x.xml"] == [xml]
    assert len(reader.pages) > 3
    assert "2026-000199" in words(reader)
    meta = reader.xmp_metadata
    assert meta is not None
    assert b"<pdfuaid:part>1" in meta.stream.get_data()
    adds_up(long, xml, 1)


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_name_is_never_more_than_a_name(name: str) -> None:
    one = monthly(station=name)
    one = replace(
        one, buyer=replace(BUYER, name=name), entries=[replace(e, row=replace(e.row, site=name)) for e in one.entries]
    )
    shown = "".join(words(await read(one, "en", monthly_einvoice(one, "en"))).split())
    plain = "".join(writable(name).split())
    assert BOX in plain or plain in shown
    assert "root:" not in shown


def test_coins_too_small_for_machines_are_refused() -> None:
    one = monthly()
    with pytest.raises(Refusal, match="two places"):
        monthly_einvoice(replace(one, row=replace(one.row, digits=3)), "en")
