"""With what it was started is a deed too: settings, policy and version, as commitments; and which of them changed.

A commitment is keyed by a secret of the installation, so that nobody finds a password in a setting by trying; the value
itself is never written down.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from wattkeeper import __version__
from wattkeeper.charging.deed import DeedKind
from wattkeeper.operations import policy
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store import deed
from wattkeeper.store.engines import Store

SECRET: Final = "settings"
"""Under what the secret is kept that commitments are keyed by."""
BY: Final = "wattkeeper"


async def note_start(store: Store, safe: Safe, settings: Settings) -> list[str]:
    """Write a deed where anything is other than at the last start; the names of what is."""
    async with store.unit() as unit:
        now = _commitments(await safe.secret_of(unit, SECRET), settings)
        before = await deed.about(unit.connection, "", [DeedKind.SETTINGS], most=1)
        had: Mapping[str, str] = before[0].body["commitments"] if before else {}
        changed = sorted(name for name in {*now, *had} if now.get(name) != had.get(name))
        if changed:
            body = {"changed": changed if before else [], "commitments": now, "version": __version__}
            await deed.enter(unit, DeedKind.SETTINGS, BY, "", body)
    return changed if before else []


def _commitments(secret: bytes, settings: Settings) -> dict[str, str]:
    """A commitment to each setting, to the policy and to the version."""
    values = {one.name: str(getattr(settings, one.name)) for one in fields(settings)}
    values |= {"policy.cedar": policy.TEXT, "version": __version__}
    return {name: _commit(secret, name, value) for name, value in values.items()}


def _commit(secret: bytes, name: str, value: str) -> str:
    return hmac.new(secret, f"{name}\x00{value}".encode(), hashlib.sha256).hexdigest()
