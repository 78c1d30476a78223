"""The town of the drivers' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser

from tests.doors import settings_for
from tests.pages.driver.town import Town, free_port, furnish
from wattkeeper.assembly import open_doors, open_rooms


@pytest_asyncio.fixture(loop_scope="session")
async def town(database: str, tmp_path: Path, browser: Browser, bundled: None) -> AsyncIterator[Town]:
    """An installation at an address with a name, both doors open, with two places to charge."""
    port = free_port()
    given = {"public_url": f"http://localhost:{port}", "outbox": True, "support_mail": "help@example.org"}
    settings = settings_for(database, tmp_path, http_port=port, time_zone="Europe/Vienna", **given)
    async with open_rooms(settings) as rooms, open_doors(rooms) as doors:
        made = Town(rooms, doors, browser)
        await furnish(made)
        yield made
