"""What somebody signs in with, in words they know it by: the browser and the system, nothing more of what it sent."""

from __future__ import annotations

from starlette.requests import Request

from wattkeeper.operations.people.accounts import UNKNOWN_DEVICE

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
"""The first that is named wins: most browsers name others too."""


def device_of(request: Request) -> str:
    """Such as "Firefox, Linux"; "a program" where nothing is known."""
    told = request.headers.get("user-agent", "")[:500]
    names = [next((name for mark, name in known if mark in told), "") for known in (BROWSERS, SYSTEMS)]
    return ", ".join(name for name in names if name) or UNKNOWN_DEVICE


def address_of(request: Request) -> str:
    """The address that a request came from, as far as the server knows."""
    return request.client.host if request.client else ""
