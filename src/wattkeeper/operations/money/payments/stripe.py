"""Stripe: the only place that knows its words. Asked over HTTPS by its own library, loaded when it is needed."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from wattkeeper.charging.money.payments.payment import PaymentState
from wattkeeper.operations.money.payments.provider import (
    Event,
    Forged,
    Given,
    Heard,
    Movement,
    Page,
    Standing,
    Unreachable,
    Unwilling,
    Wish,
)
from wattkeeper.store.money.payments.paying import Means

NAME = "stripe"
OURS = "wattkeeper"
"""Under this word Stripe keeps our own name for a payment."""
WINDOW_S = 300
"""How old what they tell by themselves may be, seconds."""
TIMEOUT_S = 20
EPOCH, SECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1)
MOST_MINOR = 10**15
"""More than any payment anywhere; what is more is no amount."""
LONGEST = 255
"""How many characters their names have at most (https://docs.stripe.com/upgrades)."""
EARLIEST = 2011
"""Nothing happened there before this year."""
SIGNATURE = "stripe-signature"
S = PaymentState
INTENTS: Mapping[str, PaymentState] = {
    **{"requires_payment_method": S.DECLINED, "requires_confirmation": S.ASKED, "requires_action": S.WAITING},
    **{"processing": S.ASKED, "requires_capture": S.AUTHORISED, "succeeded": S.CAPTURED, "canceled": S.CANCELLED},
}
"""The states of a PaymentIntent (https://docs.stripe.com/payments/paymentintents/lifecycle)."""
LATER = frozenset({"rate_limit", "lock_timeout", "idempotency_key_in_use"})
"""Errors that are not about what was asked."""


class Stripe:
    """A Stripe account."""

    name = NAME

    def __init__(self, key: str, secret: str, address: str = "") -> None:
        self._key = key
        self._secret = secret
        self._address = address
        self._made: Any = None
        self._http: Any = None

    @property
    def _client(self) -> Any:
        """Stripe's own client; it does not try again by itself: what is to be asked is written down."""
        if self._made is None:
            import stripe

            more: dict[str, Any] = {"base_addresses": {"api": self._address}} if self._address else {}
            stripe.enable_telemetry = False
            self._http = stripe.HTTPXClient(timeout=TIMEOUT_S, allow_sync_methods=False)
            self._made = stripe.StripeClient(self._key, http_client=self._http, max_network_retries=0, **more).v1
        return self._made

    async def close(self) -> None:
        """Hang up."""
        if self._http is not None:
            await self._http.close_async()
            self._made = self._http = None

    # --- asking ---------------------------------------------------------------------------------------------

    async def page(self, wish: Wish, key: str) -> Page:
        """A Checkout Session; the person is made a Customer there, who is called nothing but that."""
        customer = wish.means.customer if wish.means else None
        if customer is None:
            made = await _asked(self._client.customers.create_async({}, {"idempotency_key": f"{key}-customer"}))
            customer = str(made["id"])
        params = _checkout(wish, customer)
        told = await _asked(self._client.checkout.sessions.create_async(params, {"idempotency_key": key}))
        return Page(told["id"], told["url"], customer)

    async def authorise(self, wish: Wish, key: str) -> Standing:
        """A PaymentIntent on the card that is kept, captured later by us."""
        if wish.means is None or wish.means.method is None:
            raise Unwilling("no_card")
        params = {
            **{"amount": wish.amount_minor, "currency": wish.currency.lower(), "customer": wish.means.customer},
            **{"payment_method": wish.means.method, "payment_method_types": ["card"], "capture_method": "manual"},
            **{"confirm": True, "off_session": True, "metadata": {OURS: wish.payment}},
        }
        try:
            return _standing(await _asked(self._client.payment_intents.create_async(params, {"idempotency_key": key})))
        except Declined as declined:
            return Standing(
                theirs=declined.theirs,
                state=S.DECLINED,
                amount_minor=wish.amount_minor,
                currency=wish.currency,
                fault=str(declined),
            )

    async def capture(self, theirs: str, amount_minor: int, key: str) -> Standing:
        """Take so much; where it was taken before, how it stands."""
        params = {"amount_to_capture": amount_minor, "expand": ["latest_charge"]}
        asked = self._client.payment_intents.capture_async(theirs, params, {"idempotency_key": key})
        return await self._done(asked, theirs, S.AUTHORISED)

    async def cancel(self, theirs: str, key: str) -> Standing:
        """Free what is reserved; where it was before, how it stands."""
        asked = self._client.payment_intents.cancel_async(theirs, {}, {"idempotency_key": key})
        return await self._done(asked, theirs, S.AUTHORISED, S.ASKED, S.WAITING)

    async def _done(self, asked: Awaitable[Any], theirs: str, *before: PaymentState) -> Standing:
        """What came of a deed; what is refused because it was done already is no refusal."""
        try:
            return _standing(await _asked(asked))
        except Unwilling as refused:
            now = await self.look(theirs, None)
            if now.state in before:
                raise Unwilling(str(refused)) from refused
            return now

    async def refund(self, theirs: str, amount_minor: int, key: str, *, again: bool) -> Given:
        """Give so much back; Stripe forgets keys after a day or more, so what was given is looked for first."""
        refunds = self._client.refunds
        if again:
            known = await _asked(refunds.list_async({"payment_intent": theirs, "limit": 100}))
            same = [one for one in known["data"] if one.get("metadata", {}).get(OURS) == key]
            if same:
                return _given(same[0])
        params = {"payment_intent": theirs, "amount": amount_minor, "metadata": {OURS: key}}
        return _given(await _asked(refunds.create_async(params, {"idempotency_key": key})))

    async def forget(self, means: Means) -> None:
        """Detach the card from its customer: it can never be charged again."""
        await _asked(self._client.payment_methods.detach_async(means.method or ""))

    async def look(self, theirs: str | None, page: str | None) -> Standing:
        """How a payment stands; of a page, with the card that was left."""
        if page is not None:
            expand = {"expand": ["payment_intent", "setup_intent.payment_method"]}
            return _page_standing(await _asked(self._client.checkout.sessions.retrieve_async(page, expand)))
        if theirs is None:
            raise Unwilling("nothing_to_look_for")
        expand = {"expand": ["latest_charge"]}
        return _standing(await _asked(self._client.payment_intents.retrieve_async(theirs, expand)))

    async def movements(self, since: datetime, until: datetime) -> list[Movement]:
        """The balance transactions of a period, with what each came of."""
        created = {"gte": (since - EPOCH) // SECOND, "lt": (until - EPOCH) // SECOND}
        params: dict[str, Any] = {"created": created, "limit": 100, "expand": ["data.source"]}
        found: list[Movement] = []
        while True:
            told = await _asked(self._client.balance_transactions.list_async(params))
            found += [_movement(one) for one in told["data"]]
            if not told["has_more"]:
                return found[::-1]
            params["starting_after"] = told["data"][-1]["id"]

    # --- being told -----------------------------------------------------------------------------------------

    def told(self, body: bytes, signature: str) -> Event:
        """An event, its signature and age checked by Stripe's own library over the very bytes."""
        import stripe

        try:
            stripe.WebhookSignature.verify_header(body, signature, self._secret, WINDOW_S)
            event = msgspec.json.decode(body)
        except stripe.SignatureVerificationError as wrong:
            raise Forged("stale" if "tolerance" in str(wrong) else "signature") from None
        except (UnicodeDecodeError, msgspec.DecodeError):
            raise Forged("not_json") from None
        except RecursionError:
            raise Forged("shape") from None
        try:
            return _event(event)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
            raise Forged("shape") from None


class Declined(Unwilling):
    """A card or its bank refused; holds the code."""

    def __init__(self, code: str, theirs: str | None) -> None:
        super().__init__(code)
        self.theirs = theirs


async def _asked(asked: Awaitable[Any]) -> dict[str, Any]:
    """What Stripe answered, as plain values."""
    with _in_our_words():
        told = await asked
        plain: dict[str, Any] = told.to_dict()
        return plain


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Raise what Stripe's library raises as what it means for us."""
    import stripe

    try:
        yield
    except stripe.CardError as error:
        told: Any = error.json_body or {}
        intent = told.get("error", {}).get("payment_intent") or {}
        raise Declined(error.code or "card_declined", intent.get("id")) from error
    except stripe.InvalidRequestError as error:
        kind = Unreachable if error.code in LATER or error.http_status == 409 else Unwilling
        raise kind(error.code or f"status_{error.http_status}") from error
    except stripe.StripeError as error:
        raise Unreachable(error.code or type(error).__name__) from error


def _checkout(wish: Wish, customer: str) -> dict[str, Any]:
    """What a Checkout Session is asked for: an amount, or a card and nothing else."""
    back = {"success_url": wish.back, "cancel_url": wish.back}
    same = {"customer": customer, "client_reference_id": wish.payment, "metadata": {OURS: wish.payment}, **back}
    same |= {"payment_method_types": ["card"]}
    if not wish.amount_minor:
        return same | {"mode": "setup", "setup_intent_data": {"metadata": {OURS: wish.payment}}}
    price = {"currency": wish.currency.lower(), "unit_amount": wish.amount_minor, "product_data": {"name": wish.title}}
    return same | {
        **{"mode": "payment", "line_items": [{"price_data": price, "quantity": 1}]},
        "payment_intent_data": {"metadata": {OURS: wish.payment}},
    }


def _standing(intent: Mapping[str, Any]) -> Standing:
    """How a PaymentIntent stands."""
    error = intent.get("last_payment_error") or {}
    return Standing(
        theirs=_name(intent["id"]),
        state=INTENTS[intent["status"]],
        amount_minor=_minor(intent["amount"]),
        currency=_name(intent["currency"]).upper(),
        taken_minor=_taken(intent),
        fault=_named(error.get("code")),
    )


def _taken(intent: Mapping[str, Any]) -> int | None:
    """What was received; else what its charge, where it is told whole, took and did not give back."""
    if intent["status"] != "succeeded":
        return 0
    received, charge = intent.get("amount_received"), intent.get("latest_charge")
    if received is None and isinstance(charge, Mapping):
        received = _minor(charge["amount"]) - _minor(charge.get("amount_refunded") or 0)
    return None if received is None else _minor(received)


def _page_standing(page: Mapping[str, Any]) -> Standing:
    """How a Checkout Session stands, with the card that was left."""
    setup, intent = page.get("setup_intent"), page.get("payment_intent")
    if isinstance(intent, Mapping) and intent["status"] in ("succeeded", "processing"):
        return _standing(intent)
    state = {"open": S.WAITING, "expired": S.CANCELLED}.get(str(page["status"]), S.ASKED)
    means = None
    if isinstance(setup, Mapping) and isinstance(setup.get("payment_method"), Mapping):
        method = setup["payment_method"]
        card = method.get("card") or {}
        means = Means(NAME, str(page["customer"]), str(method["id"]), card.get("brand"), card.get("last4"))
        state = S.CAPTURED if setup.get("status") == "succeeded" else state
    elif page.get("payment_status") == "paid" and intent is not None:
        state = S.CAPTURED
    theirs = intent if isinstance(intent, str) else (intent or {}).get("id")
    amount, currency = int(page.get("amount_total") or 0), str(page.get("currency") or "").upper()
    taken = amount if state is S.CAPTURED else 0
    return Standing(theirs=theirs, state=state, amount_minor=amount, currency=currency, taken_minor=taken, means=means)


def _given(refund: Mapping[str, Any]) -> Given:
    refused = refund.get("status") in ("failed", "canceled")
    return Given(_name(refund["id"]), _minor(refund["amount"]), _name(refund["currency"]).upper(), refused)


def _movement(one: Mapping[str, Any]) -> Movement:
    """A balance transaction; what it came of is the payment of its charge, or its refund."""
    source = one.get("source")
    if isinstance(source, Mapping):
        is_charge = source.get("object") == "charge"
        source = (source.get("payment_intent") if is_charge else None) or source.get("id")
    numbers = (int(one["amount"]), int(one["fee"]), int(one["net"]))
    at = datetime.fromtimestamp(int(one["created"]), UTC)
    return Movement(str(one["id"]), str(one["type"]), str(source or ""), str(one["currency"]).upper(), *numbers, at)


# --- events -------------------------------------------------------------------------------------------------


def _name(told: Any) -> str:
    """A name of theirs that may be kept; ValueError."""
    if not isinstance(told, str) or len(told) > LONGEST or not told.isprintable():
        raise ValueError("no name")
    return told


def _named(told: Any) -> str | None:
    """The same, where there is one."""
    return _name(told) if told else None


def _instant(told: Any) -> datetime:
    """When something happened there; ValueError, OverflowError."""
    at = datetime.fromtimestamp(told, UTC)
    if at.year < EARLIEST:
        raise ValueError("too early")
    return at


def _minor(told: Any) -> int:
    """An amount that may be compared with ours, minor units; ValueError."""
    if not isinstance(told, int) or abs(told) > MOST_MINOR:
        raise ValueError("no amount")
    return told


def _event(told: Mapping[str, Any]) -> Event:
    """An event (https://docs.stripe.com/api/events) as what it means for us."""
    kind, thing = _name(told["type"]), told["data"]["object"]
    same: dict[str, Any] = {"id": _name(told["id"]), "kind": kind, "at": _instant(told["created"])}
    ours = _named((thing.get("metadata") or {}).get(OURS))
    if kind.startswith("payment_intent.") and thing["status"] in INTENTS:
        return Event(about=Heard.PAYMENT, theirs=_name(thing["id"]), payment=ours, standing=_standing(thing), **same)
    if kind.startswith("checkout.session."):
        page, ours = _name(thing["id"]), _named(thing.get("client_reference_id"))
        return Event(about=Heard.PAGE, theirs=page, payment=ours, **same)
    if kind.startswith("refund."):
        return Event(about=Heard.REFUND, theirs=_named(thing.get("payment_intent")) or "", given=_given(thing), **same)
    if kind == "charge.dispute.created":
        given = Given(_name(thing["id"]), _minor(thing["amount"]), _name(thing["currency"]).upper())
        return Event(about=Heard.DISPUTE, theirs=_named(thing.get("payment_intent")) or "", given=given, **same)
    return Event(about=Heard.OTHER, **same)
