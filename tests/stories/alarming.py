"""A world whose alerts are looked at by hand: rules are made, measured and told when the story says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from sqlalchemy import insert, select

from tests.stories.world import Voice16, World
from wattkeeper.charging.alerts.rule import Kind, Rule, Where
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.alerts.alerts import Alerts, alerts_of
from wattkeeper.operations.alerts.rules import Wish
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.store.alerts.alert import AlertRow
from wattkeeper.store.alerts.rule import RuleRow
from wattkeeper.store.stations import station as stations
from wattkeeper.store.tables import alert_sending, mail, station, station_state

MINUTE = timedelta(minutes=1)


def ruled(kind: Kind, raise_at: float | str, clear_at: float | str, **more: Any) -> Rule:
    """A rule, figures as they are typed."""
    limit = more.pop("limit_kw", None)
    limit_kw = None if limit is None else Decimal(limit)
    return Rule(kind=kind, raise_at=Decimal(raise_at), clear_at=Decimal(clear_at), limit_kw=limit_kw, **more)


async def charged_between_readings(station: Voice16) -> None:
    """A meter is read at 0 and at 21; what it rose by, 5 kWh, a session took in between."""
    await station.read(None, 0, wh=1000)
    tx = await station.start(2, 1000)
    await station.read(tx, 10, wh=6000)
    await station.stop(tx, 20, 6000)
    await station.read(None, 21, wh=6000)


@dataclass(slots=True)
class Alarming:
    """What a story does with alerts."""

    world: World
    alerts: Alerts = field(init=False)

    @classmethod
    async def open(cls, database: str, folder: Path, **settings: Any) -> Self:
        """A world with its door open."""
        made = cls(World(database, folder, settings={"alert_inside": True, **settings}))
        await made.again()
        return made

    async def again(self) -> None:
        """Open the door (once more), and everything about alerts with it."""
        await self.world.open()
        door = self.world.door
        mail = Mail(door.store, door.safe, door.settings)
        self.alerts = alerts_of(door.store, door.safe, door.bus, door.settings, mail)

    async def restart(self) -> None:
        """Down and up again."""
        await self.world.close()
        await self.again()

    async def rule(self, rule: Rule, name: str = "watch", hooks: tuple[str, ...] = (), **more: Any) -> RuleRow:
        """Make a rule."""
        return await self.alerts.rules.make(VIEWER, Wish(name, rule, hooks, **more))

    async def hook(self, address: str) -> tuple[str, str]:
        """Make a webhook; its id and secret."""
        row, secret = await self.alerts.hooks.make(VIEWER, "pager", address)
        return row.id, secret

    async def look(self) -> int:
        """Measure and decide once."""
        return await self.alerts.watch.look()

    async def tell(self) -> int:
        """Tell what is due, once."""
        return await self.alerts.telling.look()

    async def episodes(self, **only: Any) -> list[AlertRow]:
        """Every alert, the oldest first."""
        return (await self.alerts.episodes.find(VIEWER, 500, **only))[::-1]

    async def on(self) -> list[AlertRow]:
        """The alerts that are on."""
        return await self.episodes(is_open=True)

    async def sendings(self) -> list[Any]:
        """What was to be told: word, state, tries, answer; in order."""
        async with self.world.door.store.read() as connection:
            s = alert_sending.c
            rows = await connection.execute(select(s.word, s.state, s.tries, s.answer).order_by(s.created_at, s.id))
            return [tuple(row) for row in rows]

    async def letters(self) -> list[str]:
        """The kinds of letters in the queue."""
        async with self.world.door.store.read() as connection:
            return list(await connection.scalars(select(mail.c.kind).order_by(mail.c.created_at)))

    async def stand(self, station_id: str, site: str) -> None:
        """Let a station stand at a site."""
        async with self.world.door.store.unit() as unit:
            await stations.describe(unit, station_id, {"site": site})

    async def let_go(self, first: int, last: int) -> None:
        """Stations of these numbers, whose connections were lost fifteen minutes ago, all at once."""
        names = [f"CP{number:05}" for number in range(first, last + 1)]
        made = {"salt": b"", "key_hash": b"", "is_listed": False} | dict.fromkeys(("label", "site", "address"), "")
        gone = {"version": "ocpp1.6", "online": False, "displays_messages": False, "last_n": 0}
        async with self.world.door.store.unit() as unit:
            made |= {"created_at": unit.now, "created_by": ""}
            await unit.connection.execute(insert(station), [made | {"id": name} for name in names])
            gone |= {"online_since": unit.now}
            await unit.connection.execute(insert(station_state), [gone | {"station_id": name} for name in names])
        self.world.clock.skip(minutes=15)


__all__ = ["MINUTE", "Alarming", "Kind", "Where", "ruled"]
