"""Papers for whoever may see a bill: a receipt for everybody, and an invoice made out to whom they name."""

from __future__ import annotations

import logging
import re
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from typing import Any

import orjson

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.numbered import Explanation
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.language import chosen, spoken
from wattkeeper.operations.log.proving import Log
from wattkeeper.operations.money.bills import Bills
from wattkeeper.operations.money.papers.machines.einvoice import einvoice
from wattkeeper.operations.money.papers.monthly_paper import Entry, MonthlyPaper, monthly_einvoice
from wattkeeper.operations.money.papers.monthly_paper import told as told_monthly
from wattkeeper.operations.money.papers.owing import owing
from wattkeeper.operations.money.papers.paper import Paper, Party, told
from wattkeeper.operations.money.papers.printing import MONTH, printed
from wattkeeper.operations.money.papers.proved import KIND, carried
from wattkeeper.operations.money.payments.monthly import items_of
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.money import bill, made_out
from wattkeeper.store.money.bill import BillRow, Sought
from wattkeeper.store.money.content import decode, encode
from wattkeeper.store.money.payments import monthly
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.money.payments.monthly import InvoiceRow
from wattkeeper.store.people import person as persons
from wattkeeper.store.privacy import buyer as buyers
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.bills")

COUNTRY = re.compile(r"[A-Z]{2}")
NEEDED = ("seller_name", "seller_street", "seller_postcode", "seller_city", "seller_country", "seller_vat_id")
"""The settings without which there is no invoice."""
UNSET = phrase("Invoices cannot be written here yet. Whoever runs this has to set {settings}.")
NAMELESS = phrase("An invoice is made out to somebody: give a name and a country of two letters, such as AT.")
NO_MONTHLY = phrase("There is no such monthly invoice. Is its number right?")
ANOTHER = phrase("It was made out to somebody else on {day}. A correction is needed first.")
SELLER = ("name", "street", "postcode", "city", "country", "vat_id")
MOST = 500


@dataclass(frozen=True, slots=True)
class Printed:
    """A paper as a file."""

    name: str
    pdf: bytes


class Papers:
    """Prints bills."""

    def __init__(self, store: Store, safe: Safe, settings: Settings, bills: Bills, proofs: Log) -> None:
        self._store = store
        self._safe = safe
        self._settings = settings
        self._bills = bills
        self._proofs = proofs

    async def of_session(self, viewer: Viewer, session: str) -> list[BillRow]:
        """What was issued for a session, in order, as far as the viewer may see it; nothing where they may see none."""
        if not any(Scope.BILLS_READ in scopes for scopes in (viewer.scopes, viewer.at_sites, viewer.own)):
            return []
        async with self._store.read() as connection:
            return (await bill.find(connection, viewer, Sought(session=session), MOST))[::-1]

    async def receipt(self, viewer: Viewer, number: str, language: str = "") -> Printed:
        """The receipt, in the language spoken unless another is said (scope bills:read, one's own for drivers).

        Refusal NOT_FOUND. It names its payer to themselves alone.
        """
        row, why = await self._bills.explain(viewer, number)
        paper = Paper(row=row, why=why, buyer=await self._payer(viewer, row), **self._own())
        pdf = await printed(
            told(paper, chosen(language, spoken())), row.issued_at, content=await self._carried(row, why)
        )
        return Printed(f"{number}.pdf", pdf)

    async def invoice(self, viewer: Viewer, number: str, buyer: Party, language: str = "") -> Printed:
        """An invoice made out to a buyer, with EN 16931 inside (scope bills:write, or one's own bill).

        Refusal NOT_FOUND, FORBIDDEN; INVALID where the buyer is not named; CONFLICT where the seller is not, the
        currency is none that such invoices know, or it was made out to somebody else.
        """
        row, why = await self._bills.explain(viewer, number)
        need_to_make_out(viewer, row.person)
        self._need_seller()
        if not buyer.name.strip() or not COUNTRY.fullmatch(buyer.country):
            raise Refusal(Code.INVALID, NAMELESS)
        async with self._store.read() as connection:
            owed = await owing(connection, row, self._settings)
        paper = Paper(row=row, why=why, buyer=buyer, is_invoice=True, owing=owed, **self._own())
        language = chosen(language, spoken())
        pdf = await printed(
            told(paper, language), row.issued_at, einvoice(paper, language), await self._carried(row, why)
        )
        await self._make_out(viewer, number, row.issued_at, buyer)
        return Printed(f"{number}.pdf", pdf)

    async def monthly(self, viewer: Viewer, number: str, buyer: Party | None = None, language: str = "") -> Printed:
        """A monthly invoice (scope bills:read, one's own for drivers); with EN 16931 inside where a buyer is named,
        which takes bills:write, or one's own.

        Refusal NOT_FOUND, and as for an invoice. It names its payer to themselves alone.
        """
        if buyer is not None:
            self._need_seller()
            if not buyer.name.strip() or not COUNTRY.fullmatch(buyer.country):
                raise Refusal(Code.INVALID, NAMELESS)
        async with self._store.read() as connection:
            row = await monthly.one(connection, viewer, number)
            if row is None:
                raise Refusal(Code.NOT_FOUND, NO_MONTHLY)
            if buyer is not None:
                need_to_make_out(viewer, row.person)
            numbers = [one.number for one in items_of(row.content)]
            rows, contents = await bill.named(connection, numbers), await bill.contents(connection, numbers)
            paid = (await payments.paid_of(connection, [number])).get(number, 0)
        if len(rows) < len(numbers) or not rows:
            raise Refusal(Code.CONFLICT, phrase("The documents of this invoice are not kept here any more."))
        entries = [Entry(one, decode(contents[one.number]).adds) for one in rows]
        known = {name: value for name, value in self._own().items() if name != "payment_days"}
        whom = buyer or await self._payer(viewer, row)
        paper = MonthlyPaper(row=row, entries=entries, paid_minor=paid, buyer=whom, **known)
        language = chosen(language, spoken())
        xml = None if buyer is None else monthly_einvoice(paper, language)
        pdf = await printed(told_monthly(paper, language), row.issued_at, xml, template=MONTH)
        if buyer is not None:
            await self._make_out(viewer, number, row.issued_at, buyer)
        return Printed(f"{number}.pdf", pdf)

    async def is_proved(self, number: str) -> bool:
        """Whether the log proves a bill, so that its paper carries that."""
        return await self._proofs.logged(KIND, number) is not None

    async def _carried(self, row: BillRow, why: Explanation) -> str:
        """What a paper carries for whoever works it out again."""
        return await carried(self._proofs, row.number, encode(why))

    @property
    def writes_invoices(self) -> bool:
        """Whether the settings say who sells."""
        return all(getattr(self._settings, name) for name in NEEDED)

    @property
    def seller(self) -> Party:
        """Who sells, as far as the settings say."""
        return Party(*(getattr(self._settings, f"seller_{part}") for part in SELLER))

    @property
    def zone(self) -> tzinfo:
        """By whose clock papers tell days."""
        return self._settings.zone

    async def payer_of(self, viewer: Viewer) -> str:
        """What the viewer is called who looks at papers of their own; empty where they told us no name."""
        async with self._store.unit() as unit:
            return _named(await self._known(unit, viewer.person))

    async def _make_out(self, viewer: Viewer, number: str, issued_at: datetime, buyer: Party) -> None:
        """Note to whom a bill is made out, and keep that under the key of its year, as tax law asks.

        Refusal CONFLICT where it was made out to somebody else: two would deduct its tax.
        """
        named = [" ".join(part.split()).casefold() for part in (buyer.name, buyer.country, buyer.vat_id)]
        marks = [mark.hex() for mark in self._safe.marks("buyer", orjson.dumps(named), 32)]
        async with self._store.unit() as unit:
            at = await made_out.to_another(unit, number, marks, viewer.name)
            if at is None:
                await buyers.seal_in(unit, self._safe, number, issued_at, asdict(buyer))
        if at is not None:
            log.warning("%s was refused invoice %s: it was made out to another buyer", viewer.name, number)
            raise Refusal(Code.CONFLICT, ANOTHER.filled(day=f"{at.astimezone(self.zone):%Y-%m-%d}"))
        log.info("%s made out invoice %s", viewer.name, number)

    # --- parts --------------------------------------------------------------------------------------------

    def _own(self) -> dict[str, Any]:
        """What every paper says of the seller."""
        known = self._settings
        told_ = {"iban": known.seller_iban, "exemption": known.tax_exemption, "payment_days": known.payment_days}
        return {"seller": self.seller, "zone": known.zone, **told_}

    def _need_seller(self) -> None:
        """Refuse where an invoice would lack its seller."""
        lacking = [f"WATTKEEPER_{name.upper()}" for name in NEEDED if not getattr(self._settings, name)]
        if lacking:
            raise Refusal(Code.CONFLICT, UNSET.filled(settings=", ".join(lacking)))

    async def _payer(self, viewer: Viewer, row: BillRow | InvoiceRow) -> Party | None:
        """Who pays, where the viewer is that person and told us a name."""
        if not viewer.person or viewer.person != row.person:
            return None
        name = await self.payer_of(viewer)
        return Party(name) if name else None

    async def _known(self, unit: Unit, person: str) -> bytes:
        """What is known of a person, JSON."""
        sealed = await persons.sealed(unit.connection, person)
        return b"{}" if sealed is None else await self._safe.unseal_for(unit, person, "person", "sealed", sealed)


def may_make_out(viewer: Viewer, person: str) -> bool:
    """Whether the viewer may make this person's bill out to somebody: who says what is billed, and whose own it is."""
    return viewer.may(Scope.BILLS_WRITE) or (viewer.person != "" and viewer.person == person)


def need_to_make_out(viewer: Viewer, person: str) -> None:
    """Raise Refusal (FORBIDDEN) where the viewer may not make this person's bill out to somebody."""
    if not may_make_out(viewer, person):
        viewer.need(Scope.BILLS_WRITE)


def _named(known: bytes) -> str:
    return str(orjson.loads(known).get("name") or "")
