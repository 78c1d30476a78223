"""What makes the pages an app: the manifest, the service worker that keeps the shell, the page without a network."""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from wattkeeper.charging.phrase import phrase
from wattkeeper.language import spoken, tell
from wattkeeper.web import bundle
from wattkeeper.web.driver.paper import HEADERS, PLACES, Paper, routes_of

ALWAYS_FRESH = {"Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"}
"""Asked for anew each time, and told in the language of whoever asks."""
ABOUT = phrase("Start charging, watch it, and see what it cost and why.")
KEPT_KINDS = (".woff2", ".svg", ".png")


def manifest() -> dict[str, Any]:
    """The app as phones list it (W3C Web Application Manifest)."""
    icons = [
        ("driver/icon-192.png", "192x192", "any"),
        ("driver/icon-512.png", "512x512", "any"),
        ("driver/maskable-512.png", "512x512", "maskable"),
    ]
    return {
        "id": "/app/",
        "name": "Wattkeeper",
        "short_name": "Wattkeeper",
        "description": tell(ABOUT),
        "lang": spoken(),
        "start_url": "/app/",
        "scope": "/app/",
        "display": "standalone",
        "background_color": "#fbfaf6",
        "theme_color": "#fbfaf6",
        "icons": [
            {"src": bundle.address(name), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for name, sizes, purpose in icons
        ],
        "shortcuts": [{"name": tell(name), "url": path} for path, name in PLACES[:2]],
    }


def shell() -> list[str]:
    """What a phone keeps: nothing in it is about anybody."""
    ours = [bundle.address("driver/driver.css"), bundle.address("driver/driver.js")]
    rest = [f"{bundle.PLACE}/{name}" for name in bundle.files() if name.endswith(KEPT_KINDS)]
    return [*ours, *rest, "/app/offline"]


class Shell:
    """``/app/manifest.webmanifest``, ``/app/worker.js`` and ``/app/offline``."""

    def __init__(self, paper: Paper) -> None:
        self._printer = paper.printer

    async def manifest(self) -> Response:
        """The manifest."""
        return JSONResponse(manifest(), headers=ALWAYS_FRESH, media_type="application/manifest+json")

    async def worker(self) -> Response:
        """The service worker; its text changes with whatever it keeps, so browsers fetch that anew."""
        kept = shell()
        version = hashlib.sha256("\n".join([*kept, self._offline()]).encode()).hexdigest()[:12]
        text = self._printer.get_template("worker.js").render(shell=kept, version=version)
        return Response(text, headers=ALWAYS_FRESH, media_type="text/javascript")

    async def offline(self, _request: Request) -> Response:
        """The page that stands in where there is no network."""
        return Response(self._offline(), headers=HEADERS | ALWAYS_FRESH, media_type="text/html")

    def _offline(self) -> str:
        return self._printer.get_template("offline.html").render()


def router(paper: Paper) -> APIRouter:
    """The app's shell."""
    pages, routes = Shell(paper), routes_of(paper)
    routes.add_api_route("/app/manifest.webmanifest", pages.manifest, methods=["GET"])
    routes.add_api_route("/app/worker.js", pages.worker, methods=["GET"])
    routes.add_api_route("/app/offline", pages.offline, methods=["GET"])
    return routes
