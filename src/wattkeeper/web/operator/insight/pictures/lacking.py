"""What nobody told of sites, and where whoever may can enter it."""

from __future__ import annotations

from collections.abc import Sequence

from wattkeeper.charging.person import Scope
from wattkeeper.charging.phrase import Phrase, counted
from wattkeeper.web.operator.insight.desks import TERMS
from wattkeeper.web.operator.insight.pictures.pictured import Scene, Shown
from wattkeeper.web.operator.insight.place import Place, named

MOST = 5
"""So many sites are named; of the others, how many there are."""
ENTERS = (Scope.SESSIONS_READ, Scope.BILLS_READ, Scope.TARIFFS_WRITE)
"""What it takes to enter terms."""


def lacking(scene: Scene, why: Phrase, sites: Sequence[str]) -> list[Shown]:
    """A line for each of these sites; it leads to its terms for whoever may enter them."""
    may_enter = all(map(scene.viewer.may, ENTERS))
    lines = [
        Shown(why.filled(site=named(site)), Place(site, []).address(TERMS) if may_enter else "")
        for site in sites[:MOST]
    ]
    more = len(sites) - MOST
    rest = [Shown(counted("The same at 1 more site.", "The same at {count} more sites.", more))] if more > 0 else []
    return [*lines, *rest]
