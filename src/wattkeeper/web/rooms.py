"""What the people's door is handed by `assembly`."""

from __future__ import annotations

from dataclasses import dataclass

from wattkeeper.bus import Bus
from wattkeeper.operations.access import Access
from wattkeeper.operations.alerts.alerts import Alerts
from wattkeeper.operations.cards.book import Cards
from wattkeeper.operations.cards.enrolment import Enrolments
from wattkeeper.operations.cards.findings import Findings
from wattkeeper.operations.cards.groups import Groups
from wattkeeper.operations.cards.lists.local_list import LocalLists
from wattkeeper.operations.cards.questions import Questions
from wattkeeper.operations.dispatch import Dispatch
from wattkeeper.operations.insight.releases import Releases
from wattkeeper.operations.intake import Intake
from wattkeeper.operations.log.keeper import Keeper
from wattkeeper.operations.log.proving import Log
from wattkeeper.operations.metering.meters import Meters
from wattkeeper.operations.metering.proofs import Proofs
from wattkeeper.operations.money.bills import Bills
from wattkeeper.operations.money.displays import Displays
from wattkeeper.operations.money.grid import GridMeters
from wattkeeper.operations.money.papers.papers import Papers
from wattkeeper.operations.money.papers.statements import Statements
from wattkeeper.operations.money.payments.payments import Payments
from wattkeeper.operations.money.tariffs.assigning import Assignments
from wattkeeper.operations.money.tariffs.prices import Prices
from wattkeeper.operations.money.total import Totals
from wattkeeper.operations.people.apps.apps import Apps
from wattkeeper.operations.people.apps.oauth import OAuth
from wattkeeper.operations.people.apps.programs import Programs
from wattkeeper.operations.people.company.oidc import Company
from wattkeeper.operations.people.house import People
from wattkeeper.operations.people.letters.notices import Notices
from wattkeeper.operations.people.names import Names
from wattkeeper.operations.privacy.consents import Consents
from wattkeeper.operations.privacy.looking import Looking
from wattkeeper.operations.privacy.looks import Looks
from wattkeeper.operations.privacy.rights import Rights
from wattkeeper.operations.safe import Safe
from wattkeeper.operations.security.audit import SecurityAudit
from wattkeeper.operations.security.events import SecurityEvents
from wattkeeper.operations.starts import Starts
from wattkeeper.operations.stations.admission import Admission
from wattkeeper.operations.stations.places import Places
from wattkeeper.operations.statistics.statistics import Statistics
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
    people: People
    names: Names
    programs: Programs
    apps: Apps
    oauth: OAuth
    company: Company
    cards: Cards
    groups: Groups
    enrolments: Enrolments
    local_lists: LocalLists
    findings: Findings
    questions: Questions
    notices: Notices
    prices: Prices
    assignments: Assignments
    bills: Bills
    papers: Papers
    statements: Statements
    payments: Payments
    grid_meters: GridMeters
    places: Places
    starts: Starts
    totals: Totals
    statistics: Statistics
    displays: Displays
    meters: Meters
    proofs: Proofs
    rights: Rights
    consents: Consents
    looking: Looking
    looks: Looks
    security_events: SecurityEvents
    log: Log
    keeper: Keeper
    releases: Releases
    security_audit: SecurityAudit
    alerts: Alerts
