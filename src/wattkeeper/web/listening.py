"""The people's door on a port: uvicorn around the application."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn

from wattkeeper.operations.certificate import Certificate
from wattkeeper.web.app import build
from wattkeeper.web.guards.patience import PatientProtocol
from wattkeeper.web.rooms import Rooms

LOOK_S = 1.0
"""How often it is seen whether the certificate was renewed, seconds."""


@asynccontextmanager
async def people(rooms: Rooms) -> AsyncIterator[int]:
    """The people's door, open while the block runs; gives its port."""
    settings = rooms.settings
    listener = socket.create_server((settings.host, settings.http_port), reuse_port=False)
    app = build(rooms)
    certificate = Certificate(settings)
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `Proxied` reads them, from whom the settings trust
        lifespan="off",
        timeout_graceful_shutdown=3,
        ssl_context_factory=None if certificate.context is None else _always(certificate.context),
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="people")
    looking = asyncio.create_task(_look(certificate), name="certificate")
    try:
        yield listener.getsockname()[1]
    finally:
        looking.cancel()
        app.state.streams.close()
        server.should_exit = True
        await task


async def _look(certificate: Certificate) -> None:
    """See now and then whether the certificate was renewed."""
    while True:
        await asyncio.sleep(LOOK_S)
        certificate.look()


def _always(context: ssl.SSLContext) -> Callable[..., ssl.SSLContext]:
    """What uvicorn asks for its context."""
    return lambda *_: context


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling: whoever opened the doors closes them."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        """Leave signals alone."""
        yield
