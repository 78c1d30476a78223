"""A receipt as a file for machines: all that it is worked out from, and the proof that it is in the log."""

from __future__ import annotations

import orjson

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.log.proving import Log
from wattkeeper.store.engines import Store
from wattkeeper.store.money import bill

KIND = "bill"
"""What leaves of the log call documents."""
NO_BILL = phrase("There is no such bill. Is its number right?")


async def receipt_file(store: Store, log: Log, viewer: Viewer, number: str) -> bytes:
    """The content of a bill as it was issued, and the proof; null while no checkpoint covers it. Refusal NOT_FOUND."""
    async with store.read() as connection:
        content = await bill.content(connection, viewer, number)
    if content is None:
        raise Refusal(Code.NOT_FOUND, NO_BILL)
    return _proved(content, await _proof(log, number) or "null").encode()


async def carried(log: Log, number: str, content: str) -> str:
    """What the paper of a bill carries: what it is worked out from, with the proof once a checkpoint covers it.

    It is the proof by the first one that does, so that a paper that is printed again is the same.
    """
    proof = await _proof(log, number, first=True)
    return _proved(content, proof) if proof else content


async def _proof(log: Log, number: str, *, first: bool = False) -> str:
    """The proof that a bill is in the log; empty where no checkpoint covers it yet."""
    try:
        return orjson.dumps((await log.opened(KIND, number, first=first)).told()).decode()
    except Refusal:
        return ""


def _proved(content: str, proof: str) -> str:
    return f'{{"content":{content},"proof":{proof}}}'
