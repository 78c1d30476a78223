"""Webhooks that are told of alerts: made here with a secret that is shown once, sealed, and taken away again."""

from __future__ import annotations

import base64
import secrets

import orjson

from wattkeeper.bus import Bus
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.alerts.episodes import TOPIC
from wattkeeper.operations.alerts.webhook import SECRET_BYTES, checked_address, shown_secret
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store import deed
from wattkeeper.store.alerts import hook, sending
from wattkeeper.store.alerts.hook import HookRow
from wattkeeper.store.engines import Store

MOST = 50
LONGEST_NAME = 80
NO_HOOK = phrase("There is no such webhook.")
NAME = phrase("A name is 1 to {most} characters that print.", most=LONGEST_NAME)


def named(typed: str) -> str:
    """A name as it is kept; Refusal INVALID."""
    name = " ".join(typed.split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise Refusal(Code.INVALID, NAME, field="name")
    return name


def opened(safe: Safe, row: HookRow) -> tuple[str, bytes]:
    """Where a webhook leads, and its secret; raises KeyRefused."""
    told = orjson.loads(safe.unseal("alert_hook", "sealed", row.sealed))
    return told["address"], base64.b64decode(told["secret"])


class Hooks:
    """The webhooks of an installation."""

    def __init__(self, store: Store, safe: Safe, bus: Bus, settings: Settings) -> None:
        self._store = store
        self._safe = safe
        self._bus = bus
        self._may_be_inside = settings.alert_inside

    async def find(self, viewer: Viewer) -> list[HookRow]:
        """Every webhook, by name; hosts of sites see none (scope stations:read)."""
        async with self._store.read() as connection:
            return await hook.find(connection, viewer)

    async def make(self, viewer: Viewer, name: str, address: str) -> tuple[HookRow, str]:
        """A new webhook, and its secret, which is shown this once (scope stations:write); Refusal INVALID, CONFLICT."""
        viewer.need(Scope.STATIONS_WRITE)
        parts = checked_address(address.strip(), may_be_inside=self._may_be_inside)
        secret = secrets.token_bytes(SECRET_BYTES)
        plain = orjson.dumps({"address": parts.geturl(), "secret": base64.b64encode(secret).decode()})
        sealed = self._safe.seal("alert_hook", "sealed", plain)
        identifier, host = f"wh{secrets.token_hex(8)}", parts.hostname or ""
        async with self._store.unit() as unit:
            row = HookRow(identifier, named(name), host, sealed, None, "", unit.now, viewer.name)
            if len(await hook.find(unit.connection, viewer)) >= MOST:
                raise Refusal(Code.CONFLICT, phrase("There are {most} webhooks: take one away first.", most=MOST))
            await hook.enter(unit, row)
            await deed.enter(unit, DeedKind.ALERT_HOOK, viewer.name, identifier, {"what": "made", "host": host})
        self._bus.announce(TOPIC)
        return row, shown_secret(secret)

    async def remove(self, viewer: Viewer, identifier: str) -> None:
        """Take a webhook away, with its secret and what waits for it (scope stations:write); Refusal NOT_FOUND."""
        viewer.need(Scope.STATIONS_WRITE)
        async with self._store.unit() as unit:
            if not await hook.remove(unit, identifier):
                raise Refusal(Code.NOT_FOUND, NO_HOOK)
            await sending.drop_for(unit, hook=identifier)
            await deed.enter(unit, DeedKind.ALERT_HOOK, viewer.name, identifier, {"what": "deleted"})
        self._bus.announce(TOPIC)
