"""The rights of people over their data, wired together: what doors are handed as ``rights``."""

from __future__ import annotations

from dataclasses import dataclass

from wattkeeper.bus import Bus
from wattkeeper.operations.access import Access
from wattkeeper.operations.people.letters.notices import Notices
from wattkeeper.operations.privacy.archive import Archives
from wattkeeper.operations.privacy.breach.breach import Breaches
from wattkeeper.operations.privacy.erasure.forgetting import Forgetting
from wattkeeper.operations.privacy.rectifying import Rectifying
from wattkeeper.operations.privacy.requests import Requests
from wattkeeper.operations.privacy.restriction import Restrictions
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store


@dataclass(frozen=True, slots=True)
class Rights:
    """Each right by its noun."""

    archives: Archives
    breaches: Breaches
    forgetting: Forgetting
    rectifying: Rectifying
    requests: Requests
    restrictions: Restrictions


def rights_of(store: Store, safe: Safe, bus: Bus, settings: Settings, access: Access, notices: Notices) -> Rights:
    """The rights of one installation."""
    return Rights(
        archives=Archives(store, safe, settings),
        breaches=Breaches(store, safe, settings, notices),
        forgetting=Forgetting(store, safe, bus, settings, access),
        rectifying=Rectifying(store, safe),
        requests=Requests(store, safe),
        restrictions=Restrictions(store, safe),
    )
