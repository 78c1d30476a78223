"""localstripe, a payment provider of other people's making, on a port of this machine."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.doors import free_port, until

KEY, SECRET = "sk_test_wattkeeper", "whsec_wattkeeper"
GOOD, DECLINES, ASKS = "4242424242424242", "4000000000000341", "4000002500003155"
"""Card numbers that Stripe's testing page names; no number of anybody's."""


@dataclass(slots=True)
class LocalStripe:
    """A running localstripe, asked as the provider's own back office would."""

    address: str
    http: httpx.AsyncClient

    async def ask(self, method: str, path: str, **data: Any) -> dict[str, Any]:
        """One call of its API; form fields as Stripe writes them."""
        answer = await self.http.request(method, f"/v1/{path}", data=data or None)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def card(self, number: str = GOOD) -> tuple[str, str]:
        """A customer with a card: what they are called there."""
        customer = await self.ask("POST", "customers")
        fields = {"card[number]": number, "card[exp_month]": "12", "card[exp_year]": "2030", "card[cvc]": "123"}
        method = await self.ask("POST", "payment_methods", type="card", **fields)
        await self.ask("POST", f"payment_methods/{method['id']}/attach", customer=customer["id"])
        return customer["id"], method["id"]

    async def intents(self) -> list[dict[str, Any]]:
        """Every payment there is, the oldest first."""
        return list((await self.http.get("/v1/payment_intents", params={"limit": 100_000})).json()["data"])

    async def webhook(self, url: str) -> None:
        """Let it tell what happens to an address, signed."""
        answer = await self.http.post("/_config/webhooks/ours", json={"url": url, "secret": SECRET})
        assert answer.status_code == 200, answer.text


@asynccontextmanager
async def localstripe() -> AsyncIterator[LocalStripe]:
    """A localstripe that knows nothing yet."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=address, auth=(KEY, "")) as http:
            await until(lambda: _answers(http), "localstripe's start")
            yield LocalStripe(address, http)
    finally:
        process.kill()
        await process.wait()


async def _answers(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/v1/balance")).status_code == 200
    except httpx.TransportError:
        return False
