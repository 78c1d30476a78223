"""How a connection ended: why, in a sentence, and which attack it was, if any."""

from __future__ import annotations

from websockets.exceptions import ConnectionClosed, PayloadTooBig, ProtocolError
from websockets.protocol import Protocol

from wattkeeper.operations.people.security import Case

LOST = "The connection was lost."


def why(closed: ConnectionClosed) -> str:
    """Why a connection ended, in a sentence without the other side's words."""
    if closed.rcvd is not None and closed.rcvd_then_sent:
        return f"The station closed the connection ({int(closed.rcvd.code)})."
    if closed.sent is not None:
        return f"The connection was closed ({int(closed.sent.code)})."
    return LOST


def attack_of(protocol: Protocol, silent_s: float, handshake_s: float) -> Case | None:
    """The case of a connection that has ended; None where nothing is wrong with how it did.

    ``silent_s`` is how long it went without introducing itself, 0 where it did. A line that just breaks is no attack,
    nor is a station that falls silent: their ends stand in the journal.
    """
    if silent_s >= handshake_s:
        return Case.INTRODUCTION_SLOW
    if isinstance(protocol.parser_exc, PayloadTooBig):
        return Case.FRAME_OVERSIZED
    if isinstance(protocol.parser_exc, ProtocolError | UnicodeDecodeError):
        return Case.FRAME_BROKEN
    return None
