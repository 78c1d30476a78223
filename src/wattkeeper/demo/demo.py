"""A whole installation on one SQLite file, with simulated stations that replay real sessions."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import update

from wattkeeper.assembly import Doors, open_doors, open_rooms
from wattkeeper.charging.cards.token import CardKind
from wattkeeper.charging.money.tariffs.restriction import Restrictions
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.person import EVERYTHING, PROGRAMS, Role, Viewer
from wattkeeper.demo import history
from wattkeeper.settings import Settings, load
from wattkeeper.simulator import fleet as fleets
from wattkeeper.store.columns import EPOCH
from wattkeeper.store.people import account
from wattkeeper.store.tables import holding
from wattkeeper.web.rooms import Rooms

STATIONS = (
    ("CP-01", "1.6", 2, "good", "North car park"),
    ("CP-02", "1.6", 2, "good", "North car park"),
    ("CP-03", "1.6", 1, "power_loss", "North car park"),
    ("CP-04", "1.6", 1, "quirky", "Workshop"),
    ("CP-05", "2.0.1", 2, "good", "South car park"),
    ("CP-06", "2.0.1", 2, "good", "South car park"),
    ("CP-07", "2.0.1", 1, "backlog", "South car park"),
    ("CP-08", "2.0.1", 1, "power_loss", "Visitors"),
)
"""Id, version, connectors, behaviour and site of each simulated station."""
CARDS = 85
"""As many as there are drivers in the data that is replayed."""
DRIVER = "driver@demo.example"
LABELS = ("Blue fob", "Card in the car")
"""What the driver of the demo calls the cards they hold."""
PLACES = {
    "North car park": ("1 North Yard", Decimal("48.21320"), Decimal("16.37040")),
    "Workshop": ("12 Workshop Lane", Decimal("48.21210"), Decimal("16.37390")),
    "South car park": ("3 South Yard", Decimal("48.20910"), Decimal("16.37120")),
    "Visitors": ("1 Main Gate", Decimal("48.21110"), Decimal("16.36890")),
}
"""Where each site of the demo is: address, latitude and longitude."""
ENERGY = Component(Dimension.ENERGY, Decimal("0.39"), Decimal(20))
PARKING = Component(Dimension.PARKING_TIME, Decimal("0.60"), Decimal(20), 60)
AT_NIGHT = Element((replace(ENERGY, price=Decimal("0.29")),), Restrictions(start_time=time(20), end_time=time(9)))
PRICES = Tariff("EUR", (AT_NIGHT, Element((ENERGY, PARKING))), tax_included=True)
"""39 cents for a kWh, 29 from 20:00 to 9:00; 60 cents for an hour plugged in without energy flowing."""
RUNS_H, MOST_BACK_H = 1.0, 168.0
"""For how many hours of running the stations' days go faster than life, and how many hours back they begin at most."""
DEMO = Viewer("demo", Role.OWNER, EVERYTHING)
NEWCOMER = "CP-09"
"""A station that nobody admitted: it waits on the operator's page."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What a person or a script needs to look at the demo."""

    http: str
    ocpp: str
    token: str
    operator: str
    password: str
    driver: str
    driver_password: str

    def as_json(self) -> str:
        """One line of JSON."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})


Say = Callable[[str], None]


async def run(speed: float, as_json: bool, say: Say, database: str | None = None) -> None:
    """Run the demo until cancelled; ``say`` is told what happens, line by line."""
    with tempfile.TemporaryDirectory(prefix="wattkeeper-demo-") as folder:
        settings = _settings(Path(folder), database)
        async with open_rooms(settings) as rooms, open_doors(rooms) as doors:
            demo = await _furnish(rooms, doors)
            fleet = await _fleet(rooms, doors, speed)
            began = fleets.start_of(fleets.read_fleet(json.dumps(fleet)), datetime.now(UTC)).date()
            past = history.past_of_driver(began, settings.zone, fleet["cards"])
            fleet["stations"] = [one | {"past": past.get(one["id"], [])} for one in fleet["stations"]]
            if as_json:
                print(demo.as_json(), flush=True)
            else:
                _welcome(demo, settings, speed)
            async with _stations(fleet, say), asyncio.TaskGroup() as beside:
                beside.create_task(_remember(rooms, began, say))
                await asyncio.Event().wait()


async def _remember(rooms: Rooms, until: date, say: Say) -> None:
    """Import the months before the stations' first day, while people look around."""
    told = await history.import_past(rooms, until)
    say(f"{told:,} real sessions of the months before were imported: see Insight.")


def _settings(folder: Path, database: str | None) -> Settings:
    """Settings for one run: everything in one folder, the usual ports where they are free.

    A database that somebody named stays, and so does its root key.
    """
    given = load()
    port = _free(given.host, given.http_port) or _any(given.host)
    return replace(
        given,
        database=database or f"sqlite:///{folder / 'wattkeeper.db'}",
        root_key=given.root_key if database else folder / "wattkeeper.key",
        http_port=port,
        public_url=given.public_url or f"http://localhost:{port}",  # browsers make passkeys for names, not for numbers
        ocpp_port=_free(given.host, given.ocpp_port),
        waiting_room=True,
        outbox=True,
        staff_passkeys=False,
        billing_grace_s=5,
        billing_backlog_days=36_500,  # the replayed days lie in the past
    )


def _free(host: str, port: int) -> int:
    """The port if nothing listens there, else 0: any."""
    try:
        with socket.create_server((host, port)):
            return port
    except OSError:
        return 0


def _any(host: str) -> int:
    """A port where nothing listens now."""
    with socket.create_server((host, 0)) as found:
        return int(found.getsockname()[1])


async def _furnish(rooms: Rooms, doors: Doors) -> Demo:
    """An operator with a password of this run, and a token for scripts."""
    password = secrets.token_urlsafe(12)
    await rooms.access.make_account("operator", password)
    token = await rooms.access.make_token("demo", PROGRAMS)
    driver_password = secrets.token_urlsafe(12)
    await rooms.access.make_account(DRIVER, driver_password, Role.DRIVER)
    await rooms.prices.set(DEMO, replace(PRICES, zone=rooms.settings.zone))
    return Demo(doors.http, doors.ocpp, token, "operator", password, DRIVER, driver_password)


async def _hold(rooms: Rooms, numbers: list[str]) -> None:
    """Let the driver of the demo hold these cards."""
    async with rooms.store.unit() as unit:
        row = await account.by_name(unit.connection, rooms.safe.name_ref(DRIVER))
        assert row is not None
        for number, label in zip(numbers, LABELS, strict=True):
            await rooms.cards.enroll_for(unit, row.person, number, CardKind.CARD, label, {}, "demo", since=EPOCH)


async def _fleet(rooms: Rooms, doors: Doors, speed: float) -> dict[str, Any]:
    """Admit the simulated stations, enrol the cards; gives the description that the simulator reads."""
    draw = random.Random(4)
    cards = [f"04{draw.getrandbits(48):012X}" for _ in range(CARDS)]
    await _hold(rooms, cards[: len(LABELS)])
    rows = [f"{number},{'blocked' if at % 17 == 16 else 'active'}" for at, number in enumerate(cards)]
    await rooms.cards.import_csv("\n".join(["number,state", *rows[len(LABELS) :]]), DEMO)
    async with rooms.store.unit() as unit:
        await unit.connection.execute(update(holding).values(since=EPOCH))  # what is replayed ran on their cards
    stations = []
    for station, version, connectors, behaviour, site in STATIONS:
        key = await rooms.admission.provision(station, "demo", label=station, site=site, max_power_w=Decimal(22_000))
        address, latitude, longitude = PLACES[site]
        plugs = {evse: "IEC_62196_T2" for evse in range(1, connectors + 1)}
        place = {"address": address, "latitude": latitude, "longitude": longitude, "plugs": plugs, "is_listed": True}
        await rooms.admission.describe(station, "demo", place)
        stations.append(
            {"id": station, "key": key, "version": version, "connectors": connectors, "behaviour": behaviour}
        )
    stranger = {"id": NEWCOMER, "key": secrets.token_hex(20), "version": "1.6", "connectors": 1, "behaviour": "good"}
    await history.enter_terms(rooms, DEMO)
    pace = {"speed": speed, "hours": min(RUNS_H, MOST_BACK_H / speed), "seed": 1}
    return {"url": doors.ocpp, **pace, "cards": cards, "stations": [*stations, stranger]}


@asynccontextmanager
async def _stations(fleet: dict[str, Any], say: Say) -> AsyncIterator[None]:
    """The simulator in a process of its own, talking to us only by OCPP, while the block runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "wattkeeper.simulator"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps(fleet).encode())
    process.stdin.close()
    relay = asyncio.create_task(_relay(process.stdout, say))
    try:
        yield
    finally:
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _relay(lines: asyncio.StreamReader, say: Say) -> None:
    """Pass on what the stations tell of themselves."""
    async for line in lines:
        say(line.decode("utf-8", "replace").rstrip())
    say("The simulated stations have stopped.")


def _welcome(demo: Demo, settings: Settings, speed: float) -> None:
    """Where to look, and with which login."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    console.print()
    console.print(
        "  [bold]Wattkeeper[/bold] is running. Real workplace sessions are being replayed "
        f"at {speed:g} times their speed."
    )
    console.print()
    console.print(f"  Open       [bold]{demo.http}[/bold]")
    console.print(
        f"  Sign in    [bold]{demo.operator}[/bold]  password  [bold]{demo.password}[/bold]  (for this run only)"
    )
    console.print(f"  As driver  {demo.http}/app/   {demo.driver}  password  [bold]{demo.driver_password}[/bold]")
    console.print(f"  Letters    {demo.http}/outbox   what would be sent by e-mail")
    console.print(f"  Stations   {demo.ocpp}/<station id>")
    console.print(f"  API        {demo.http}/api/v1/docs   token {demo.token}")
    console.print("  Stop       Ctrl-C; nothing is kept.")
    console.print()
