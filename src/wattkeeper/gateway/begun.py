"""A coroutine that runs up to its first wait at once, not when its task gets its turn."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Coroutine, Generator
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Begun(Generic[T]):
    """The rest of a coroutine, to be awaited once.

    TLS must take a socket over before its first byte is read. Some event loops read as soon as they have told of the
    socket, whoever asked them to pause, so waiting for a task's turn would lose the first bytes of the handshake.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._rest = coroutine
        self._waits_for = coroutine.send(None)

    def __await__(self) -> Generator[Any, Any, T]:
        with suppress(Exception, CancelledError):  # how the wait ended is no loss: the rest asks for it again
            yield self._waits_for
        return (yield from self._rest.__await__())
