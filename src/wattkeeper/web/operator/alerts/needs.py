"""What was raised and nobody has seen yet, for the page Now, each with what settles it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.alerts.told import told_of
from wattkeeper.store.alerts import alert
from wattkeeper.web.operator.alerts.desks import ALERTS
from wattkeeper.web.operator.need import Act, Need
from wattkeeper.web.operator.people.names import Places


async def needs(connection: AsyncConnection, viewer: Viewer, known: Places, most: int) -> list[Need]:
    """Alerts that wait for somebody to see to them; whoever may not say so is shown where they stand."""
    found = []
    for row in await alert.find(connection, viewer, most, is_unseen=True):
        told = told_of(row, {row.station: known[row.station].name})
        act = Act(phrase("Look at the alerts"), ALERTS)
        if viewer.may(Scope.STATIONS_WRITE):
            fields = {"id": row.id, "back": "/"}
            act = Act(phrase("Acknowledge"), f"{ALERTS}/acknowledge", fields, post=True, busy=phrase("Acknowledging …"))
        weight = "harm" if row.is_harm else "look"
        found.append(Need(f"alert-{row.id}", told.title, told.why, row.raised_at, (act,), weight))
    return found
