"""The signed record of a session, for whoever charged: the file that the common transparency software checks.

It holds what the meter signed, and so the number of the card. That is its driver's own; everybody else reads what was
measured and whether it holds, and never who it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.sax.saxutils import escape

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.metering.ocmf import Record, Step
from wattkeeper.charging.metering.ruling import Ruling
from wattkeeper.charging.person import Reach, Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.metering.values import values_of
from wattkeeper.operations.safe import Safe
from wattkeeper.store.engines import Store
from wattkeeper.store.metering import key
from wattkeeper.store.money import billable
from wattkeeper.store.sessions import session as sessions
from wattkeeper.store.sessions.session import SessionRow

UNTELLABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was signed about a session."""

    session: str
    ruling: Ruling
    """What the check of it came to; empty where it was not checked."""
    key: str
    """The public key of the meter, hexadecimal; empty: none is pinned."""
    records: tuple[Record, ...]
    """By their pages."""


class Proofs:
    """Hands out what meters signed."""

    def __init__(self, store: Store, safe: Safe) -> None:
        self._store = store
        self._safe = safe

    async def of(self, viewer: Viewer, session: str) -> Proof:
        """What was signed about a session, without saying to whom (scope sessions:read); Refusal NOT_FOUND."""
        return (await self._told(viewer, session))[1]

    async def file(self, viewer: Viewer, session: str) -> bytes:
        """The file for the transparency software (its ``values.xsd``): XML, UTF-8.

        For whoever charged alone; Refusal FORBIDDEN for others, NOT_FOUND where there is no such session or nothing
        that is signed.
        """
        row, proof, texts = await self._whole(viewer, session)
        if viewer.reach(Scope.SESSIONS_READ) is not Reach.OWN:
            why = phrase("What the meter signed names the card. It is its driver's alone; they find it in the app.")
            raise Refusal(Code.FORBIDDEN, why)
        if not texts:
            raise Refusal(Code.NOT_FOUND, phrase("Nothing that this session's meter signed is known."))
        number = row.ref if row.ref and row.ref.isdecimal() else "1"
        values = [_value(one, text, proof.key, number) for one, text in zip(proof.records, texts, strict=True)]
        lines = ('<?xml version="1.0" encoding="UTF-8"?>', "<values>", *values, "</values>", "")
        return "\n".join(lines).encode()

    async def _told(self, viewer: Viewer, session: str) -> tuple[SessionRow, Proof]:
        row, proof, _ = await self._whole(viewer, session)
        return row, proof

    async def _whole(self, viewer: Viewer, session: str) -> tuple[SessionRow, Proof, list[str]]:
        """The session, what was signed about it, and each record as it was sent."""
        async with self._store.read() as connection:
            row = await sessions.one(connection, viewer, session)
            if row is None:
                raise Refusal(Code.NOT_FOUND, phrase("There is no such session."))
            is_signed = row.whole.track.signed or row.whole.signed is not None
            values = await values_of(connection, self._safe, session) if is_signed else []
            its = (await billable.of(connection, [session]))[session]
            keys = await key.holding(connection, row.station, row.evse, its.known_at)
        told = [(one.record, one.carried.text.strip()) for one in values if one.record is not None]
        told = sorted((one for one in told if not UNTELLABLE.search(one[1])), key=lambda one: one[0].page)
        records = tuple(one for one, _ in told)
        ruling = row.whole.signed or Ruling()
        public = next((one.key for one in keys if one.mark == ruling.key), keys[0].key if len(keys) == 1 else "")
        proof = Proof(session, ruling, public, records)
        return row, proof, [text for _, text in told]


def _value(one: Record, text: str, public: str, number: str) -> str:
    """A record in the transparency software's container: the key first, as its schema has it."""
    steps = {register.step for register in one.registers} & {Step.BEGIN, Step.END}
    context = {Step.BEGIN: "Transaction.Begin", Step.END: "Transaction.End"}[steps.pop()] if len(steps) == 1 else ""
    named = f' context="{context}"' if context else ""
    told = escape(text, {"\r": "&#13;"})
    its_key = f'<publicKey encoding="plain">{public}</publicKey>' if public else ""
    data = f'<signedData format="OCMF" encoding="plain">{told}</signedData>'
    return f'<value transactionId="{number}"{named}>{its_key}{data}</value>'
