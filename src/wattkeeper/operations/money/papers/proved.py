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
    try:
        proof = orjson.dumps((await log.opened(KIND, number)).told())
    except Refusal:  # not signed yet
        proof = b"null"
    return b'{"content":' + content.encode() + b',"proof":' + proof + b"}"
