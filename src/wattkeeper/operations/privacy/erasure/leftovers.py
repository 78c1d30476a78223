"""What must outlive a person's key for a while: what tax law asks for, and by what others know whom to forget."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
import orjson

from wattkeeper.charging.orders import AnyCommand, StartCharging
from wattkeeper.charging.privacy.erasure import Recipient, Telling, What
from wattkeeper.operations.privacy.erasure.planning import Prepared
from wattkeeper.operations.safe import Safe
from wattkeeper.store.privacy import buyer, forgotten, unclaimed
from wattkeeper.store.stations import order as orders
from wattkeeper.store.unit import Unit
from wattkeeper.vault.keys import KeyRefused

TELLING = "telling:"
"""Before a person's id: the key of what is told to others, until they have answered."""
RAW = (AnyCommand.__name__, StartCharging.__name__)
"""Orders in which somebody may have typed a card's number."""


class Leftovers:
    """Takes out of a person's seals what must be kept or told, before their key is destroyed."""

    def __init__(self, safe: Safe) -> None:
        self._safe = safe

    async def keep(self, unit: Unit, ready: Prepared) -> None:
        """Seal what tax law asks for and what others must be told anew, each under a key with an end of its own."""
        await self._keep_buyers(unit, ready.leaving.persons)
        numbers = await self._numbers(unit, ready)
        await self._keep_told(unit, ready, numbers)
        await self._clear_orders(unit, {number for some in numbers.values() for number in some})
        await self._drop_unclaimed(unit, ready.leaving.accounts)

    # --- invoices -------------------------------------------------------------------------------------

    async def _keep_buyers(self, unit: Unit, persons: Sequence[str]) -> None:
        """The names on monthly invoices that were issued to these persons and name no other buyer yet."""
        for number, person, issued_at, sealed, wrapped in await buyer.unnamed(unit, persons):
            with suppress(KeyRefused):
                known = orjson.loads(self._safe.unseal_by(wrapped, person, "person", "sealed", sealed))
                if name := str(known.get("name") or ""):
                    await buyer.seal_in(unit, self._safe, number, issued_at, {"name": name})

    # --- whoever must be told -------------------------------------------------------------------------

    async def _numbers(self, unit: Unit, ready: Prepared) -> dict[str, list[str]]:
        """The numbers of the cards of those whom a station knows as a customer, or who stand in orders, by person."""
        asked = {person for person, plan in ready.plans.items() if any(one.what is What.CUSTOMER for one in plan.told)}
        if await orders.any_of(unit.connection, RAW):
            asked = set(ready.plans)
        found: dict[str, list[str]] = {}
        for person, sealed, wrapped in await buyer.numbers(unit, [*asked]):
            with suppress(KeyRefused):
                number = self._safe.unseal_by(wrapped, person, "card", "sealed", sealed).decode()
                found.setdefault(person, []).append(number)
        return found

    async def _keep_told(self, unit: Unit, ready: Prepared, numbers: dict[str, list[str]]) -> None:
        """Note who must be told, each with what they know the person by."""
        means = await buyer.means(unit, ready.leaving.persons)
        for person, plan in ready.plans.items():
            if not plan.told:
                continue
            sealing = None
            rows = []
            for one in plan.told:
                for plain in _known_as(one, numbers.get(person, []), means.get(person)):
                    if plain is not None and sealing is None:
                        sealing = self._safe.enter_subject(unit, TELLING + person)
                    sealed = None if plain is None or sealing is None else sealing("telling", "sealed", plain)
                    rows.append((secrets.token_hex(8), person, one.kind, one.name, one.what, sealed))
            forgotten.tell(unit, rows)

    # --- orders ---------------------------------------------------------------------------------------

    async def _clear_orders(self, unit: Unit, numbers: set[str]) -> None:
        """Take out of orders as they were typed, and of what was answered, what names one of these cards."""
        if not numbers:
            return
        bare = {_bare(number) for number in numbers}
        for one in await orders.of_kinds(unit.connection, RAW):
            known = self._opened("sealed", one.sealed) + self._opened("answer", one.answer)
            if any(number in _bare(known) for number in bare):
                empty = AnyCommand(action=one.action or "", payload={}) if one.kind == AnyCommand.__name__ else None
                order = msgspec.json.encode(empty or StartCharging(uid=""))
                await orders.clear(unit, one.id, self._safe.seal("orders", "sealed", order))

    def _opened(self, column: str, sealed: bytes | None) -> str:
        return "" if sealed is None else self._safe.unseal("orders", column, sealed).decode(errors="replace")

    # --- letters --------------------------------------------------------------------------------------

    async def _drop_unclaimed(self, unit: Unit, accounts: Sequence[str]) -> None:
        """Delete letters and links that were asked for with one of their addresses, before it was known whose it is."""
        refs = await unclaimed.refs(unit, accounts)
        for one in await unclaimed.everything(unit) if refs else ():
            address = _address(self._safe.unseal(one.table, "sealed", one.sealed))
            if address and self._safe.name_ref(address) in refs:
                await unclaimed.drop(unit, one)


def _address(plain: bytes) -> str:
    """Whom a letter or a link is for; empty where it names nobody."""
    with suppress(ValueError):
        about = orjson.loads(plain)
        return str(about.get("to") or about.get("email") or "") if isinstance(about, dict) else ""
    return ""


def _known_as(one: Telling, numbers: Sequence[str], means: dict[str, Any] | None) -> list[bytes | None]:
    """By what a recipient knows a person; once for each where there are several, nothing where that is not needed."""
    if one.what is What.CUSTOMER:
        return [number.encode() for number in numbers]
    if one.kind is Recipient.PROVIDER:
        return [] if means is None else [orjson.dumps(means)]
    return [None]


def _bare(text: str) -> str:
    """Without what numbers may be separated by, in one case."""
    return "".join(mark for mark in text if mark not in " :.-_").upper()
