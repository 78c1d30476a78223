"""How a driver pays: the way, the balance, the card that the provider keeps, payments and monthly invoices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.money.payments.paying import IN_WORDS, Way, why_declined
from wattkeeper.charging.money.payments.payment import PaymentKind, PaymentState
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import Phrase, joined, phrase
from wattkeeper.operations.money.payments.monthly import items_of, paid_words
from wattkeeper.operations.money.payments.wallet import WalletView
from wattkeeper.store.money.payments import monthly
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.money.payments.monthly import InvoiceRow
from wattkeeper.store.money.payments.payment import PaymentRow
from wattkeeper.web.api.money.papers import sent
from wattkeeper.web.driver.money.amounts import written
from wattkeeper.web.driver.paper import Paper, Word, routes_of
from wattkeeper.web.operator import said

PATH = "/app/me/pay"
SHOWN = 20
DAY = phrase("d MMMM y")
MONTH = phrase("MMMM y")
"""How dates and months are written (Unicode TR 35 pattern)."""
DID: Mapping[str, Word] = {
    "way": Word(phrase("Saved."), phrase("From now on you pay this way.")),
    "forgotten": Word(phrase("Removed."), phrase("Your bank card is not charged any more.")),
    "asked": Word(phrase("Asked again."), phrase("Below it says what came of it.")),
}
ABOUT: Mapping[Way, Phrase] = {
    Way.FREE: phrase("Whoever runs the stations covers what you charge. You see each bill, and pay none."),
    Way.INVOICE: phrase("After each month you get one invoice, and pay it by bank transfer."),
    Way.PREPAID: phrase("You top up before you charge, and each session is paid from your balance."),
    Way.CARD: phrase("An amount is reserved when you start. When the session is over, what it cost is taken."),
}
KINDS: Mapping[PaymentKind, Phrase] = {
    PaymentKind.CHARGE: phrase("Session, by bank card"),
    PaymentKind.TOP_UP: phrase("Top-up"),
    PaymentKind.TRANSFER: phrase("Bank transfer"),
    PaymentKind.SETUP: phrase("Bank card left"),
}
STATES: Mapping[PaymentState, Phrase] = {
    PaymentState.ASKED: phrase("On its way"),
    PaymentState.WAITING: phrase("Waits for you"),
    PaymentState.AUTHORISED: phrase("Reserved"),
    PaymentState.CAPTURED: phrase("Paid"),
    PaymentState.CANCELLED: phrase("Not taken"),
    PaymentState.DECLINED: phrase("Declined"),
}
NEXT: Mapping[PaymentState, tuple[Phrase, Phrase]] = {
    PaymentState.ASKED: (phrase("On its way"), phrase("The payment provider was asked. Look again in a moment.")),
    PaymentState.WAITING: (
        phrase("Go on to the payment page"),
        phrase("You enter your card there, with the payment provider. We never see its number."),
    ),
    PaymentState.AUTHORISED: (phrase("Reserved"), phrase("The amount is reserved; what it costs is taken later.")),
    PaymentState.CAPTURED: (phrase("Paid"), phrase("Thank you. It is in your balance.")),
    PaymentState.CANCELLED: (
        phrase("Not taken"),
        phrase("The payment page was left, or it ran out. Nothing was paid."),
    ),
    PaymentState.DECLINED: (phrase("Declined"), phrase("Your bank refused. Nothing was paid.")),
}
LEFT = (phrase("Your bank card is left"), phrase("It is kept by the payment provider. We know its last four digits."))
NOWHERE = phrase("After each month you get one invoice. Whoever runs this tells you where to pay.")
TOP_UP = phrase("Top up {amount} or more to charge again.")
TRANSFER = phrase("By bank transfer: {amount} or more to {iban}, with your e-mail address as the reference.")
UNSERVED: Mapping[Way, Phrase] = {
    Way.CARD: phrase(
        "You had chosen to pay by bank card, and none are taken here now. Until that changes, what you charge comes on"
        " one invoice a month. You need do nothing, or choose another way below."
    ),
    Way.PREPAID: phrase(
        "You had chosen to pay ahead, and nobody can top up here now. Until that changes, what you charge comes on one"
        " invoice a month; your balance stays yours. You need do nothing, or choose another way below."
    ),
}
"""What a driver is told whose way cannot be served any more."""
NO_AMOUNT = phrase("An amount is a number such as 20 or 12.50.")


@dataclass(frozen=True, slots=True)
class Line:
    """A payment as its driver sees it."""

    id: str
    what: Phrase
    amount: str
    state: Phrase
    is_declined: bool
    waits: bool
    given_back: str
    """What of it was given back; empty: nothing."""
    why: str
    """Why it was declined; empty: it was not."""
    row: PaymentRow


@dataclass(frozen=True, slots=True)
class Asked:
    """A monthly invoice as its driver sees it."""

    number: str
    month: str
    amount: str
    standing: Phrase
    due: str


class Pay:
    """``/app/me/pay``"""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, did: str = "") -> Response:
        """How the viewer pays, and what was paid."""
        viewer = await self._paper.need_viewer(request)
        return await self._page(request, viewer, DID.get(did))

    async def _page(
        self, request: Request, viewer: Viewer, word: Word | None, status: int = 200, amount: str = ""
    ) -> Response:
        told = await self._rooms.payments.wallets.mine(viewer)
        async with self._rooms.store.read() as connection:
            rows = await payments.find(connection, viewer, SHOWN)
            invoices = await monthly.find(connection, viewer, SHOWN)
            paid = await payments.paid_of(connection, [row.number for row in invoices])
        return await self._paper.page(
            request,
            "pay.html",
            viewer,
            status=status,
            word=word,
            way=IN_WORDS[told.way],
            about=about_of(told, has_account=bool(self._rooms.settings.seller_iban)),
            is_prepaid=told.way is Way.PREPAID or any(amount for _, amount in told.balances),
            told=told,
            owed=_owed(told),
            **self._sums(told),
            choices=[(one.value, IN_WORDS[one], ABOUT[one]) for one in told.choices if one is not told.way],
            currency=self._rooms.settings.pay_currency,
            amounts=self._amounts(),
            typed=amount,
            lines=[self._line(row) for row in rows if row.kind is not PaymentKind.SETUP],
            invoices=[self._invoice(row, paid.get(row.number, 0)) for row in invoices],
        )

    def _sums(self, told: WalletView) -> dict[str, object]:
        """What is left to charge with as one figure, what it is made of, what blocks charging and what settles it."""
        currency = self._rooms.settings.pay_currency
        balance = _balance(told, currency)
        if told.left_minor is None:
            return {"balance": balance, "left": "", "settle": ""}
        left = written(_major(told.left_minor, currency), currency, digits_of(currency))
        short = written(_major(told.short_minor, currency), currency, digits_of(currency))
        iban = self._rooms.settings.seller_iban
        ways = [TOP_UP.filled(amount=short)] * told.has_provider
        ways += [TRANSFER.filled(amount=short, iban=iban)] * bool(iban)
        settle = joined(ways) if told.blocked else ""
        return {"balance": balance, "left": left, "settle": settle}

    def _amounts(self) -> list[str]:
        """What a tap tops up by: the least, and some more."""
        settings = self._rooms.settings
        digits = digits_of(settings.pay_currency)
        least, most = settings.top_up_least_minor, settings.top_up_most_minor
        wanted = [one for one in (least, 2 * least, 5 * least) if one <= most]
        return [f"{_plain(one, digits)}" for one in wanted]

    def _line(self, row: PaymentRow) -> Line:
        is_ours = row.provider == payments.BANK and row.state is PaymentState.WAITING
        state = PaymentState.ASKED if is_ours else row.state
        amount = row.captured_minor or row.asked_minor
        back = written(_major(row.refunded_minor, row.currency), row.currency, row.digits) if row.refunded_minor else ""
        return Line(
            id=row.id,
            what=KINDS[row.kind],
            amount=written(_major(amount, row.currency), row.currency, row.digits),
            state=STATES[state],
            is_declined=row.state is PaymentState.DECLINED and row.session is not None,
            waits=state is PaymentState.WAITING,
            given_back=back,
            why=why_declined(row.fault),
            row=row,
        )

    def _invoice(self, row: InvoiceRow, paid_minor: int) -> Asked:
        amount = written(_major(row.gross_minor, row.currency), row.currency, row.digits)
        month = said.dated(date.fromisoformat(f"{row.month}-01"), MONTH)
        due = said.dated(date.fromisoformat(row.due_on), DAY)
        return Asked(row.number, month, amount, paid_words(row.gross_minor, paid_minor), due)

    # --- what is done -----------------------------------------------------------------------------------------

    async def top_up(self, request: Request, amount: Annotated[str, Form()] = "") -> Response:
        """Top up; or say why not, and keep what was typed."""
        viewer = await self._paper.need_viewer(request)
        try:
            row = await self._rooms.payments.wallets.top_up(viewer, _minor(amount, self._rooms.settings.pay_currency))
        except Refusal as refusal:
            if refusal.code not in (Code.INVALID, Code.BUSY, Code.CONFLICT):
                raise
            word = Word(phrase("Nothing was paid."), refusal.why, "harm")
            return await self._page(request, viewer, word, 422, amount)
        return RedirectResponse(f"{PATH}/{row.id}", 303)

    async def leave_card(self, request: Request) -> Response:
        """Leave a bank card with the provider."""
        row = await self._rooms.payments.wallets.leave_card(await self._paper.need_viewer(request))
        return RedirectResponse(f"{PATH}/{row.id}", 303)

    async def forget_card(self, request: Request) -> Response:
        """Have no bank card charged any more."""
        await self._rooms.payments.wallets.forget_card(await self._paper.need_viewer(request))
        return RedirectResponse(f"{PATH}?did=forgotten", 303)

    async def choose(self, request: Request, way: Annotated[str, Form()] = "") -> Response:
        """Pay another way."""
        viewer = await self._paper.need_viewer(request)
        if way not in set(Way):
            raise Refusal(Code.INVALID, phrase("This is no way to pay here."))
        await self._rooms.payments.wallets.choose(viewer, Way(way))
        return RedirectResponse(f"{PATH}?did=way", 303)

    async def again(self, request: Request, payment: str) -> Response:
        """Charge the card again for what was declined."""
        viewer = await self._paper.need_viewer(request)
        row = await self._own(viewer, payment)
        if row.session is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such payment."))
        await self._rooms.payments.wallets.try_again(viewer, row.session)
        return RedirectResponse(f"{PATH}?did=asked", 303)

    async def one(self, request: Request, payment: str) -> Response:
        """One payment: on to the provider's page, or what came of it."""
        viewer = await self._paper.need_viewer(request)
        row = await self._rooms.payments.wallets.returned(viewer, payment)
        is_left = row.kind is PaymentKind.SETUP and row.state is PaymentState.CAPTURED
        title, why = LEFT if is_left else NEXT[row.state]
        return await self._paper.page(
            request,
            "pay_one.html",
            viewer,
            title=title,
            why=why,
            url=row.url if row.state is PaymentState.WAITING else None,
            amount=written(_major(row.asked_minor, row.currency), row.currency, row.digits) if row.asked_minor else "",
        )

    async def invoice(self, request: Request, number: str) -> Response:
        """One monthly invoice, document by document."""
        viewer = await self._paper.need_viewer(request)
        async with self._rooms.store.read() as connection:
            row = await monthly.one(connection, viewer, number)
            paid = {} if row is None else await payments.paid_of(connection, [row.number])
        if row is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such monthly invoice. Is its number right?"))
        items = [
            (one, written(_major(one.gross_minor, row.currency), row.currency, row.digits))
            for one in items_of(row.content)
        ]
        told = self._invoice(row, paid.get(row.number, 0))
        sums = [written(_major(one, row.currency), row.currency, row.digits) for one in (row.net_minor, row.vat_minor)]
        known = self._rooms.settings
        who = {"iban": known.seller_iban, "name": known.seller_name}
        given: dict[str, Any] = {"told": told, "items": items, "sums": sums, "seller": who}
        given["writes_invoices"] = self._rooms.papers.writes_invoices
        return await self._paper.page(request, "pay_invoice.html", viewer, **given)

    async def printed(self, request: Request, number: str) -> Response:
        """A monthly invoice as PDF."""
        viewer = await self._paper.need_viewer(request)
        return sent(await self._rooms.papers.monthly(viewer, number))

    async def _own(self, viewer: Viewer, payment: str) -> PaymentRow:
        async with self._rooms.store.read() as connection:
            row = await payments.one(connection, viewer, payment)
        if row is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such payment."))
        return row


def _major(minor: int, currency: str) -> Decimal:
    """Minor units as an amount."""
    return Decimal(minor).scaleb(-digits_of(currency))


def _plain(minor: int, digits: int) -> str:
    """An amount for a form: 20, or 12.50."""
    exact = Decimal(minor).scaleb(-digits)
    return f"{exact:f}" if exact % 1 else f"{exact:.0f}"


def _minor(text: str, currency: str) -> int:
    """What was typed, in minor units; Refusal INVALID."""
    try:
        exact = Decimal(text.strip().replace(",", "."))
        minor = exact.scaleb(digits_of(currency)) if len(text) < 20 and exact.is_finite() else Decimal("0.5")
    except InvalidOperation:
        raise Refusal(Code.INVALID, NO_AMOUNT) from None
    if minor != minor.to_integral_value() or not 0 < minor < 10**12:
        raise Refusal(Code.INVALID, NO_AMOUNT)
    return int(minor)


def about_of(told: WalletView, *, has_account: bool) -> Phrase:
    """What the way that holds means, and why it is another than the one that was chosen."""
    if told.way is not told.wanted:
        return UNSERVED.get(told.wanted, ABOUT[told.way])
    return NOWHERE if told.way is Way.INVOICE and not has_account else ABOUT[told.way]


def _owed(told: WalletView) -> str:
    """What is owed, by currency; empty: nothing."""
    sums = [(currency, minor) for currency, minor in told.owed if minor > 0]
    return joined([written(_major(minor, one), one, digits_of(one)) for one, minor in sums], ", ")


def _balance(told: WalletView, currency: str) -> str:
    """What is prepaid, in the installation's currency."""
    return written(_major(dict(told.balances).get(currency, 0), currency), currency, digits_of(currency))


def router(paper: Paper) -> APIRouter:
    """``/app/me/pay``"""
    pages, routes = Pay(paper), routes_of(paper)
    routes.add_api_route(PATH, pages.show, methods=["GET"])
    routes.add_api_route(f"{PATH}/top-up", pages.top_up, methods=["POST"])
    routes.add_api_route(f"{PATH}/card", pages.leave_card, methods=["POST"])
    routes.add_api_route(f"{PATH}/card/remove", pages.forget_card, methods=["POST"])
    routes.add_api_route(f"{PATH}/way", pages.choose, methods=["POST"])
    routes.add_api_route(f"{PATH}/invoices/{{number}}", pages.invoice, methods=["GET"])
    routes.add_api_route(f"{PATH}/invoices/{{number}}/paper", pages.printed, methods=["GET"])
    routes.add_api_route(f"{PATH}/{{payment}}", pages.one, methods=["GET"])
    routes.add_api_route(f"{PATH}/{{payment}}/again", pages.again, methods=["POST"])
    return routes
