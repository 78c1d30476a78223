"""Of which site a page under Insight is, as its address says it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import Phrase
from wattkeeper.store.statistics import total
from wattkeeper.web.operator.sessions.sessions import NO_SITE, WITHOUT_SITE
from wattkeeper.web.operator.within import RAN
from wattkeeper.web.rooms import Rooms

LONGEST = 200


@dataclass(frozen=True, slots=True)
class Place:
    """The site that is asked for, among those that the viewer sees."""

    site: str | None
    """None: all of them."""
    sites: list[str]

    @property
    def key(self) -> str:
        """As the address has it; empty: all."""
        return "" if self.site is None else self.site or NO_SITE

    @property
    def name(self) -> str | Phrase:
        """As people call it; empty: all."""
        return "" if self.site is None else named(self.site)

    @property
    def view(self) -> dict[str, str]:
        """What other pages under Insight are asked for."""
        return {"site": self.key}

    @property
    def choices(self) -> list[tuple[str, str | Phrase]]:
        """What can be chosen: as addresses and as people call it."""
        return [(one or NO_SITE, named(one)) for one in self.sites]

    def address(self, path: str) -> str:
        """A page about the same."""
        return path + (f"?{urlencode({'site': self.key})}" if self.key else "")


def named(site: str) -> str | Phrase:
    """A site as people call it."""
    return site or WITHOUT_SITE


def sessions_at(site: str | None, first: str, last: str, **also: str) -> str:
    """Where sessions are listed that ran at a site (None: anywhere) from one day to another, included."""
    given = {"site": "" if site is None else site or NO_SITE, "since": first, "until": last, "within": RAN} | also
    return "/sessions?" + urlencode({name: value for name, value in given.items() if value})


async def place_of(rooms: Rooms, viewer: Viewer, request: Request) -> Place:
    """What an address asks for; a site that is not the viewer's to see is asked for all the same, and not found."""
    said = request.query_params.get("site", "").replace("\0", "").strip()[:LONGEST]
    async with rooms.store.read() as connection:
        sites = await total.sites(connection, viewer)
    return Place(None if not said else "" if said == NO_SITE else said, sites)
