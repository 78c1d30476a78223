"""The only file that names every concrete class: wires one installation and runs it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from wattkeeper.bus import Bus
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.operations import retention
from wattkeeper.operations.access import Access
from wattkeeper.operations.alerts.alerts import alerts_of
from wattkeeper.operations.backup.restoring import need_replayed
from wattkeeper.operations.cards.book import Cards
from wattkeeper.operations.cards.enrolment import Enrolments
from wattkeeper.operations.cards.findings import Findings
from wattkeeper.operations.cards.groups import Groups
from wattkeeper.operations.cards.lists.local_list import LocalLists
from wattkeeper.operations.cards.questions import Questions
from wattkeeper.operations.cards.watch import RadarWatch
from wattkeeper.operations.dispatch import Dispatch
from wattkeeper.operations.insight.releases import Releases
from wattkeeper.operations.intake import Intake
from wattkeeper.operations.keys import following
from wattkeeper.operations.log.keeper import Keeper
from wattkeeper.operations.log.proving import Log
from wattkeeper.operations.log.signing import Signing
from wattkeeper.operations.log.started import note_start
from wattkeeper.operations.log.witnessing import Witnessing
from wattkeeper.operations.metering.checking import Checking
from wattkeeper.operations.metering.meters import Meters
from wattkeeper.operations.metering.proofs import Proofs
from wattkeeper.operations.money.billing import Billing
from wattkeeper.operations.money.bills import Bills
from wattkeeper.operations.money.displays import Displays
from wattkeeper.operations.money.grid import GridMeters
from wattkeeper.operations.money.papers.papers import Papers
from wattkeeper.operations.money.papers.receipts import Receipts
from wattkeeper.operations.money.papers.statements import Statements
from wattkeeper.operations.money.payments.payments import payments_of
from wattkeeper.operations.money.payments.provider import Provider
from wattkeeper.operations.money.payments.stripe import Stripe
from wattkeeper.operations.money.payments.watch import Watch
from wattkeeper.operations.money.tariffs.assigning import Assignments
from wattkeeper.operations.money.tariffs.prices import Prices
from wattkeeper.operations.money.total import Totals
from wattkeeper.operations.people.apps.apps import Apps
from wattkeeper.operations.people.apps.oauth import OAuth
from wattkeeper.operations.people.apps.programs import Programs
from wattkeeper.operations.people.company.oidc import Company
from wattkeeper.operations.people.house import people_of
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.people.letters.notices import Notices
from wattkeeper.operations.people.names import Names
from wattkeeper.operations.privacy.consents import Consents
from wattkeeper.operations.privacy.erasure.propagation import Propagation
from wattkeeper.operations.privacy.looking import Looking
from wattkeeper.operations.privacy.looks import Looks
from wattkeeper.operations.privacy.rights import rights_of
from wattkeeper.operations.safe import Safe, open_safe, root_of
from wattkeeper.operations.security.audit import SecurityAudit
from wattkeeper.operations.security.events import SecurityEvents
from wattkeeper.operations.starts import Starts
from wattkeeper.operations.stations import display, silence
from wattkeeper.operations.stations.admission import Admission
from wattkeeper.operations.stations.places import Places
from wattkeeper.operations.statistics.statistics import statistics_of
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.migrate import migrate
from wattkeeper.web.rooms import Rooms


@asynccontextmanager
async def open_rooms(settings: Settings) -> AsyncIterator[Rooms]:
    """Everything but the doors: the database at its newest schema, the vault open, facts being written."""
    await migrate(settings.database)
    store = Store(settings.database)
    try:
        safe = await open_safe(store, root_of(settings))
        bus = MemoryBus()
        intake = Intake(store, safe, bus, settings)
        rooms = furnish(settings, store, safe, bus, intake)
        await rooms.access.adopt()
        await need_replayed(store, settings)
        await rooms.rights.forgetting.forget_again()
        await rooms.places.mark_all()
        await intake.start()
        try:
            yield rooms
        finally:
            await intake.stop()
            if rooms.payments.provider is not None:
                await rooms.payments.provider.close()
    finally:
        await store.close()


def furnish(
    settings: Settings, store: Store, safe: Safe, bus: Bus, intake: Intake, dispatch: Dispatch | None = None
) -> Rooms:
    """What every door is handed; ``dispatch`` where the stations' door has one already."""
    dispatch = dispatch or Dispatch(store, safe, bus, settings, intake)
    cards, prices = Cards(store, safe, bus), Prices(store, settings)
    places = Places(store, safe, bus, prices)
    access, mail = Access(store, safe, settings), Mail(store, safe, settings)
    totals, bills = Totals(store, settings), Bills(store, bus, settings)
    notices, signing = Notices(store, safe, bus, mail), Signing(store, safe, settings)
    proofs = Log(store, signing)
    papers = Papers(store, safe, settings, bills, proofs)
    return Rooms(
        settings=settings,
        store=store,
        safe=safe,
        bus=bus,
        intake=intake,
        dispatch=dispatch,
        admission=Admission(store, safe, bus, settings),
        access=access,
        people=people_of(store, safe, settings, access),
        names=Names(store, safe),
        programs=Programs(store, access),
        apps=Apps(store, access),
        oauth=OAuth(store, access, notices, mail),
        company=Company(store, safe, access, settings),
        cards=cards,
        groups=Groups(store, bus),
        enrolments=Enrolments(store, safe, bus, settings, cards),
        local_lists=LocalLists(store, safe, bus, settings, dispatch),
        findings=Findings(store, bus, cards),
        questions=Questions(store, safe, bus, cards, intake),
        notices=notices,
        prices=prices,
        assignments=Assignments(store),
        bills=bills,
        papers=papers,
        statements=Statements(store, prices, papers),
        payments=payments_of(store, bus, settings, provider_of(settings)),
        grid_meters=GridMeters(store),
        places=places,
        starts=Starts(store, safe, settings, dispatch, cards, places),
        totals=totals,
        statistics=statistics_of(store, safe, bus, settings),
        displays=Displays(store, safe, bus, settings, dispatch, mail, totals),
        meters=Meters(store),
        proofs=Proofs(store, safe),
        rights=rights_of(store, safe, bus, settings, access, notices),
        log=proofs,
        keeper=Keeper(store, bus, settings, signing),
        consents=Consents(store),
        looking=Looking(store, safe, settings, notices),
        looks=Looks(store, safe),
        security_events=SecurityEvents(store, safe, bus),
        releases=Releases(store, settings.zone),
        security_audit=SecurityAudit(store, safe, settings, bus),
        alerts=alerts_of(store, safe, bus, settings, mail),
    )


def provider_of(settings: Settings) -> Provider | None:
    """Who takes payments by card; None where nobody is set up. Raises OSError where a file of theirs cannot be read."""
    if not settings.stripe_key_file:
        return None
    key = Path(settings.stripe_key_file).read_text().strip()
    secret = Path(settings.stripe_secret_file).read_text().strip() if settings.stripe_secret_file else ""
    return Stripe(key, secret, settings.stripe_address)


@dataclass(frozen=True, slots=True)
class Doors:
    """Where a running installation listens."""

    http: str
    """The people's door, such as ``http://127.0.0.1:8080``."""
    ocpp: str
    """The stations' door, to which a station adds its id, such as ``ws://127.0.0.1:9000/ocpp``."""


@asynccontextmanager
async def open_doors(rooms: Rooms) -> AsyncIterator[Doors]:
    """Let stations and people in while the block runs."""
    from wattkeeper.gateway import Gateway  # here, so that a command that opens no door need not load them
    from wattkeeper.web.listening import people

    _allow_sockets()
    _collect_seldom()
    settings = rooms.settings
    await rooms.keeper.begin()
    await note_start(rooms.store, rooms.safe, settings)
    gateway = Gateway(settings, rooms.intake, rooms.dispatch, rooms.admission, rooms.totals)
    ocpp_port = await gateway.start()
    told = (rooms.store, rooms.safe, rooms.bus, settings, rooms.dispatch, rooms.payments.provider)
    propagation = Propagation(*told)
    watchers = [
        asyncio.create_task(rooms.store.keep_tidy(), name="tidy"),
        asyncio.create_task(following.follow(rooms.store, rooms.safe), name="keys"),
        asyncio.create_task(retention.watch(rooms.store), name="retention"),
        asyncio.create_task(rooms.security_events.run(), name="security events"),
        asyncio.create_task(rooms.security_audit.watch(), name="security audit"),
        asyncio.create_task(rooms.access.uses.run(), name="rights in use"),
        asyncio.create_task(silence.watch(rooms.store, rooms.intake, settings), name="silence"),
        asyncio.create_task(display.show_sessions(rooms.store, rooms.bus, rooms.dispatch), name="display"),
        asyncio.create_task(rooms.local_lists.run(), name="local lists"),
        asyncio.create_task(rooms.people.post.run(), name="post"),
        asyncio.create_task(rooms.keeper.run(), name="log"),
        asyncio.create_task(Witnessing(rooms.store, rooms.bus, settings, rooms.log).run(), name="witnesses"),
        asyncio.create_task(propagation.run(), name="propagation"),
        asyncio.create_task(RadarWatch(rooms.store, rooms.bus, settings, rooms.notices).run(), name="radar"),
        asyncio.create_task(Checking(rooms.store, rooms.safe, rooms.bus, rooms.intake).run(), name="signatures"),
        asyncio.create_task(Billing(rooms.store, rooms.bus, settings).run(), name="billing"),
        asyncio.create_task(rooms.statistics.counting.run(), name="statistics"),
        asyncio.create_task(rooms.statistics.reckoning.run(), name="reliability"),
        asyncio.create_task(rooms.displays.run(), name="displays"),
        asyncio.create_task(rooms.alerts.watch.run(), name="alerts"),
        asyncio.create_task(rooms.alerts.telling.run(), name="telling"),
        asyncio.create_task(Receipts(rooms.store, rooms.bus, rooms.people.mail, rooms.papers).run(), name="receipts"),
        asyncio.create_task(
            Watch(rooms.store, rooms.bus, settings, rooms.payments.provider, rooms.notices).run(), name="payments"
        ),
    ]
    try:
        async with people(rooms) as http_port:
            tls = "s" if settings.tls_certificate else ""
            http = settings.public_url.rstrip("/") or f"http{tls}://{settings.host}:{http_port}"
            yield Doors(http, f"ws{tls}://{settings.host}:{ocpp_port}/ocpp")
    finally:
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
        await gateway.stop()
        await rooms.keeper.finish()


def _collect_seldom() -> None:
    """Leave what stays for good out of garbage collection, and look seldom: a full look stops everyone."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 25, 50)


def _allow_sockets() -> None:
    """As many open files as the system allows this process: every station is one."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
