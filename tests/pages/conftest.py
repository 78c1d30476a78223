"""A browser, and an installation for it to look at."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.doors import free_port, settings_for
from tests.pages import pseudo
from tests.pages.driver.billed import SELLER
from tests.pages.driver.town import Town, furnish
from tests.pages.paid import provided
from tests.pages.site import CARD, PASSWORD, Site
from tests.pay.shapes import shapes
from wattkeeper.assembly import open_doors, open_rooms
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.web import bundle

UNUSED = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "SpareRendererForSitePerProcess"),
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *(
        "HttpsFirstBalancedModeAutoEnable",
        "LensOverlay",
        "MediaRouter",
        "PaintHolding",
        "ThirdPartyStoragePartitioning",
    ),
    *("AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled"),
    "PreconnectToSearch",
)
"""What a browser without a screen need not have. Each window would draw two lists of suggestions below an address bar
that nobody sees, at half the cost of a test; the rest is what Playwright leaves out, for the last such list counts."""
QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--disable-gpu",
    f"--disable-features={','.join(UNUSED)}",
)
WORKSHOP = Path(__file__).parents[2] / ".build" / "pages"


@pytest.fixture
def engine() -> str:
    """The pages are not about the store: one engine is enough."""
    return "sqlite"


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is: CHROMIUM, else Debian's."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.skip("There is no Chromium: install Debian's chromium, or name one in CHROMIUM.")
    return found


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A language that shows what was not told in it is spoken (`pseudo`)."""
    pseudo.speak(monkeypatch)


@pytest.fixture(scope="session")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The pages' script and style, made by one process where several share the tests."""
    with (tmp_path_factory.getbasetemp().parent / "bundle").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        bundle.build(WORKSHOP)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all of these tests, for they share one browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("asyncio"):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A browser that fetches nothing of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def site(database: str, tmp_path: Path, browser: Browser, bundled: None) -> AsyncIterator[Site]:
    """An installation with both doors open, an operator, one card, and a browser."""
    settings = settings_for(database, tmp_path, http_port=0, waiting_room=True)
    async with open_rooms(settings) as rooms, open_doors(rooms) as doors:
        await rooms.access.make_account("operator", PASSWORD)
        await rooms.cards.import_csv(f"number\n{CARD}\n", VIEWER)
        yield Site(rooms, doors, browser)


@pytest_asyncio.fixture(loop_scope="session")
async def town(database: str, tmp_path: Path, browser: Browser, bundled: None) -> AsyncIterator[Town]:
    """An installation at an address with a name, both doors open, with two places to charge."""
    port = free_port()
    given = {"public_url": f"http://localhost:{port}", "outbox": True, "support_mail": "help@example.org"} | SELLER
    async with shapes() as stripe:
        given |= provided(tmp_path, stripe.address)
        settings = settings_for(database, tmp_path, http_port=port, time_zone="Europe/Vienna", **given)
        async with open_rooms(settings) as rooms, open_doors(rooms) as doors:
            made = Town(rooms, doors, browser)
            await furnish(made)
            yield made
