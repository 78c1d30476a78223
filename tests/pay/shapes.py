"""A provider of Stripe's documented shapes: what localstripe lacks (Checkout, idempotency keys, fees, periods).

Written from https://docs.stripe.com/api, not from our code; it signs with its own hands.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.doors import until
from tests.pay.local import KEY, SECRET

Thing = dict[str, Any]


def nested(pairs: list[tuple[str, str]]) -> Thing:
    """Form fields such as ``card[number]`` and ``expand[0]`` as a tree."""
    tree: Thing = {}
    for name, value in pairs:
        *path, last = name.replace("]", "").split("[")
        place = tree
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return tree


class No(Exception):  # noqa: N818 - an answer
    """An error as Stripe tells it."""

    def __init__(self, status: int, kind: str, code: str = "", **more: Any) -> None:
        super().__init__(code)
        told = {"type": kind, "message": "No.", **({"code": code} if code else {}), **more}
        self.answer = JSONResponse({"error": told}, status)


@dataclass(slots=True)
class Shapes:
    """A Stripe account."""

    address: str = ""
    things: dict[str, Thing] = field(default_factory=dict)
    movements: list[Thing] = field(default_factory=list)
    keys: dict[str, tuple[str, Thing]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Every call that changed something: method, path and idempotency key."""
    declines: bool = False
    lost: int = 0
    """So many answers are lost on the way back: the deed is done, and nobody hears of it."""
    numbers: Any = field(default_factory=lambda: count(1))
    clock: Any = time.time

    # --- the people of the provider ---------------------------------------------------------------------------

    def paid(self, page: str) -> Thing:
        """A person pays on a page, or leaves a card there."""
        told = self.things[page]
        method = self.make("pm", "payment_method", card={"brand": "visa", "last4": "4242"}, customer=told["customer"])
        if told["mode"] == "setup":
            setup = self.make("seti", "setup_intent", status="succeeded", payment_method=method["id"])
            told |= {"status": "complete", "setup_intent": setup["id"]}
            return told
        intent = self.intent(told["amount_total"], told["currency"], told["payment_intent_data"].get("metadata", {}))
        self.take(intent, intent["amount"])
        told |= {"status": "complete", "payment_status": "paid", "payment_intent": intent["id"]}
        return told

    def signed(self, body: bytes, at: float | None = None, secret: str = SECRET) -> str:
        """The signature of what is told (https://docs.stripe.com/webhooks#verify-manually)."""
        stamp = str(int(self.clock() if at is None else at))
        mac = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return f"t={stamp},v1={mac}"

    def event(self, kind: str, thing: Mapping[str, Any], **changed: Any) -> bytes:
        """The body of an event about a thing as it is now, or as changed."""
        told = {"id": f"evt_{next(self.numbers)}", "object": "event", "type": kind, "created": int(self.clock())}
        return json.dumps(told | {"livemode": False, "data": {"object": {**thing, **changed}}}).encode()

    # --- things -------------------------------------------------------------------------------------------------

    def make(self, prefix: str, kind: str, **told: Any) -> Thing:
        """A thing with an id."""
        made = {"id": f"{prefix}_{next(self.numbers)}", "object": kind, "created": int(self.clock()), **told}
        self.things[made["id"]] = made
        return made

    def intent(self, amount: int, currency: str, metadata: Thing, **told: Any) -> Thing:
        """A PaymentIntent that is reserved."""
        same = {"amount": amount, "currency": currency, "metadata": metadata, "amount_received": 0}
        return self.make("pi", "payment_intent", status="requires_capture", **same, latest_charge=None, **told)

    def take(self, intent: Thing, amount: int) -> None:
        """Capture: a charge, its movement, its fee."""
        charge = self.make("ch", "charge", amount=amount, payment_intent=intent["id"], amount_refunded=0)
        intent |= {"status": "succeeded", "amount_received": amount, "latest_charge": charge["id"]}
        self.move("charge", amount, 25 + amount * 14 // 1000, charge["id"], intent["currency"])

    def move(self, kind: str, amount: int, fee: int, source: str, currency: str) -> None:
        """A balance transaction."""
        money = {"amount": amount, "fee": fee, "net": amount - fee, "currency": currency}
        self.movements.append(self.make("txn", "balance_transaction", type=kind, source=source, **money))

    def shown(self, thing: Thing, expand: Mapping[str, str]) -> Thing:
        """A thing with what it names shown whole, where that is asked for."""
        told = dict(thing)
        for path in expand.values():
            first, _, rest = path.partition(".")
            if isinstance(told.get(first), str):
                told[first] = self.shown(self.things[told[first]], {"0": rest} if rest else {})
        return told

    # --- calls --------------------------------------------------------------------------------------------------

    async def answer(self, request: Request) -> Response:
        """One call."""
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return No(401, "invalid_request_error").answer
        told = nested(parse_qsl((await request.body()).decode()) if request.method == "POST" else _query(request))
        expand = told.pop("expand", {})
        try:
            made = self.known(request, told) if request.method == "POST" else self.look(request.url.path, told)
        except No as no:
            return no.answer
        if request.method == "POST" and self.lost:
            self.lost -= 1
            return JSONResponse({"error": {"type": "api_error", "message": "lost"}}, 500)
        return JSONResponse(self.shown(made, expand) if made.get("object") != "list" else self.listed(made, expand))

    def listed(self, made: Thing, expand: Mapping[str, str]) -> Thing:
        """A list with what its members name shown whole."""
        inner = {key: path.removeprefix("data.") for key, path in expand.items()}
        return made | {"data": [self.shown(one, inner) for one in made["data"]]}

    def known(self, request: Request, told: Thing) -> Thing:
        """What a key did before, or what is done now (https://docs.stripe.com/api/idempotent_requests)."""
        key, path = request.headers.get("idempotency-key", ""), request.url.path
        same = json.dumps([path, told], sort_keys=True)
        if key in self.keys:
            before, made = self.keys[key]
            if before != same:
                raise No(400, "idempotency_error")
            return made
        made = dict(self.do(path.removeprefix("/v1/").split("/"), told))
        self.asked.append(f"{path} {key}")
        if key:
            self.keys[key] = same, made
        return made

    def do(self, path: list[str], told: Thing) -> Thing:
        """A deed."""
        match path:
            case ["customers"]:
                return self.make("cus", "customer", **told)
            case ["checkout", "sessions"]:
                return self.page(told)
            case ["payment_intents"]:
                return self.reserve(told)
            case ["payment_intents", name, "capture"]:
                intent, amount = self.live(name), int(told["amount_to_capture"])
                if amount > intent["amount"]:
                    raise No(400, "invalid_request_error", "amount_too_large")
                self.take(intent, amount)
                return intent
            case ["payment_intents", name, "cancel"]:
                intent = self.live(name)
                intent["status"] = "canceled"
                return intent
            case ["payment_methods", name, "detach"] if name in self.things:
                self.things[name]["customer"] = None
                return self.things[name]
            case ["refunds"]:
                return self.refund(told)
        raise No(404, "invalid_request_error")

    def page(self, told: Thing) -> Thing:
        """A Checkout Session."""
        items = told.get("line_items", {}).values()
        data = [one["price_data"] for one in items]
        more = {"amount_total": sum(int(one["unit_amount"]) for one in data) or None, "url": "https://pay.example/p"}
        more |= {"currency": data[0]["currency"] if data else None, "payment_status": "unpaid", "status": "open"}
        return self.make("cs", "checkout.session", **told | more, setup_intent=None, payment_intent=None)

    def reserve(self, told: Thing) -> Thing:
        """A PaymentIntent, confirmed at once on a card that is kept."""
        assert (told["capture_method"], told["confirm"], told["off_session"]) == ("manual", "true", "true")
        if told["payment_method"] not in self.things:
            raise No(400, "invalid_request_error", "resource_missing")
        if self.declines:
            raise No(402, "card_error", "card_declined", decline_code="insufficient_funds")
        return self.intent(int(told["amount"]), told["currency"], told.get("metadata", {}))

    def live(self, name: str) -> Thing:
        """A PaymentIntent that is reserved still."""
        intent = self.things[name]
        if intent["status"] != "requires_capture":
            raise No(400, "invalid_request_error", "payment_intent_unexpected_state")
        return intent

    def refund(self, told: Thing) -> Thing:
        """A refund of what was taken."""
        intent, amount = self.things[told["payment_intent"]], int(told["amount"])
        charge = self.things[intent["latest_charge"]]
        if charge["amount_refunded"] + amount > charge["amount"]:
            raise No(400, "invalid_request_error", "charge_already_refunded")
        charge["amount_refunded"] += amount
        same = {"amount": amount, "currency": intent["currency"], "payment_intent": intent["id"]}
        made = self.make("re", "refund", status="succeeded", metadata=told.get("metadata", {}), **same)
        self.move("refund", -amount, 0, made["id"], intent["currency"])
        return made

    def look(self, path: str, told: Thing) -> Thing:
        """A thing, or a list of things."""
        *_, name = path.split("/")
        if name == "balance_transactions":
            since, until_ = int(told["created"]["gte"]), int(told["created"]["lt"])
            found = [one for one in self.movements if since <= one["created"] < until_][::-1]
            if "starting_after" in told:
                found = found[[one["id"] for one in found].index(told["starting_after"]) + 1 :]
            most = min(int(told["limit"]), 3)
            return {"object": "list", "data": found[:most], "has_more": len(found) > most}
        if name == "refunds":
            mine = [one for one in self.things.values() if one["object"] == "refund"]
            same = [one for one in mine if one["payment_intent"] == told["payment_intent"]]
            return {"object": "list", "data": same, "has_more": False}
        if name not in self.things:
            raise No(404, "invalid_request_error", "resource_missing")
        return self.things[name]


def _query(request: Request) -> list[tuple[str, str]]:
    return list(request.query_params.multi_items())


@asynccontextmanager
async def shapes() -> AsyncIterator[Shapes]:
    """A provider of these shapes on a port of this machine."""
    made = Shapes()
    app = Starlette(routes=[Route("/v1/{rest:path}", made.answer, methods=["GET", "POST"])])
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        await until(lambda: server.started, "the start of the provider")
        made.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            yield made
        finally:
            server.should_exit = True
            await serving
