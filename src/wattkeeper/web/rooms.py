"""What the people's door is handed by `assembly`."""

from __future__ import annotations

from dataclasses import dataclass

from wattkeeper.bus import Bus
from wattkeeper.operations.access import Access
from wattkeeper.operations.admission import Admission
from wattkeeper.operations.cards import Cards
from wattkeeper.operations.dispatch import Dispatch
from wattkeeper.operations.intake import Intake
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store


@dataclass(frozen=True, slots=True)
class Rooms:
    """Everything a page or an API call can ask."""

    settings: Settings
    store: Store
    safe: Safe
    bus: Bus
    intake: Intake
    dispatch: Dispatch
    admission: Admission
    access: Access
    cards: Cards
