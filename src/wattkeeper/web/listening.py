"""The people's door on a port: uvicorn around the application."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from wattkeeper.web.app import build
from wattkeeper.web.patience import PatientProtocol
from wattkeeper.web.rooms import Rooms


@asynccontextmanager
async def people(rooms: Rooms) -> AsyncIterator[int]:
    """The people's door, open while the block runs; gives its port."""
    settings = rooms.settings
    listener = socket.create_server((settings.host, settings.http_port), reuse_port=False)
    app = build(rooms)
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `Proxied` reads them, from whom the settings trust
        lifespan="off",
        timeout_graceful_shutdown=3,
        ssl_certfile=settings.tls_certificate or None,
        ssl_keyfile=settings.tls_key or None,
    )
    config.load()
    if isinstance(config.ssl, ssl.SSLContext):
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="people")
    try:
        yield listener.getsockname()[1]
    finally:
        app.state.streams.close()
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling: whoever opened the doors closes them."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        """Leave signals alone."""
        yield
