"""The security audit over an installation: what it finds, keeps, what is accepted of it, and what is gone."""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from tests.doors import settings_for
from tests.gateway.test_tls import CERTIFICATE, PRIVATE_KEY
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.operations.access import Access
from wattkeeper.operations.log.keeper import Keeper
from wattkeeper.operations.log.signing import Signing
from wattkeeper.operations.people.security import Case, heard_by, note
from wattkeeper.operations.policy import grants
from wattkeeper.operations.safe import Safe, open_safe
from wattkeeper.operations.security.audit import SecurityAudit
from wattkeeper.operations.security.checks import doors
from wattkeeper.operations.security.checks.doors import NOT_OPEN
from wattkeeper.operations.security.events import SecurityEvents
from wattkeeper.operations.security.packages import packages
from wattkeeper.operations.stations.admission import Admission
from wattkeeper.settings import Settings
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account as accounts
from wattkeeper.store.security import finding as findings
from wattkeeper.store.security.finding import FindingRow
from wattkeeper.store.tables import mail, scope_use

WHY = "A second owner starts in January."
OWNER = Viewer("a0000000000000001", Role.OWNER, grants(Role.OWNER).anywhere)


@dataclass(slots=True)
class House:
    """An installation with one owner who has a password alone, at a time of the test's choosing."""

    store: Store
    safe: Safe
    settings: Settings
    audit: SecurityAudit
    now: datetime

    def later(self, **span: float) -> None:
        """Time passes."""
        self.now += timedelta(**span)

    async def codes(self) -> set[str]:
        """What the audit finds now about accounts."""
        return {row.code for row in (await self.audit.run()).standing if row.code.startswith("people.")}

    async def row(self, code: str) -> FindingRow:
        """The finding of a code that stands."""
        async with self.store.read() as connection:
            (one,) = [row for row in await findings.standing(connection) if row.code == code]
        return one


@pytest.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[House]:
    """An installation."""
    settings = settings_for(database, tmp_path, http_port=0)
    made = House(None, None, settings, None, datetime(2026, 5, 1, 12, tzinfo=UTC))  # type: ignore[arg-type]
    made.store = Store(database, clock=lambda: made.now)
    made.safe = await open_safe(made.store, settings.root_key)
    made.audit = SecurityAudit(made.store, made.safe, settings, MemoryBus())
    await Access(made.store, made.safe, settings).make_account("olga", "correct horse battery staple")
    yield made
    await made.store.close()


async def test_what_is_wrong_is_found_once_and_is_gone_when_it_is_mended(house: House) -> None:
    assert await house.codes() == {"people.owner_alone", "people.no_second_factor"}
    first = await house.row("people.no_second_factor")
    house.later(days=1)
    await house.audit.run()
    again = await house.row("people.no_second_factor")
    assert (again.id, again.first_at, again.last_at) == (first.id, first.first_at, house.now)
    async with house.store.unit() as unit:
        await accounts.change(unit, first.subject, totp_confirmed=True)
    house.later(days=1)
    assert await house.codes() == {"people.owner_alone", "people.no_passkey"}
    async with house.store.read() as connection:
        (gone,) = await findings.gone(connection, OWNER, 10)
    assert (gone.id, gone.gone_at) == (first.id, house.now)
    async with house.store.unit() as unit:
        await accounts.change(unit, first.subject, totp_confirmed=False)
    await house.audit.run()
    assert (await house.row("people.no_second_factor")).id != first.id, "what comes back is another finding"


async def test_what_is_accepted_needs_nobody_until_the_time_is_over(house: House) -> None:
    await house.audit.run()
    row = await house.row("people.owner_alone")
    await house.audit.accept(OWNER, row.id, 30, f"  {WHY}\n ")
    kept = await house.row("people.owner_alone")
    assert kept.is_accepted(house.now) and kept.accepted_by == OWNER.name
    assert house.audit.reason(kept) == WHY
    async with house.store.read() as connection:
        (said,) = await deed.about(connection, row.id, [DeedKind.FINDING_ACCEPTED])
        assert (
            WHY.encode() not in (await connection.execute(text("SELECT accepted_why FROM security_finding"))).all()[0]
        )
    assert (said.by, said.body["code"]) == (OWNER.name, "people.owner_alone")
    assert WHY not in str(said.body), "words of people are in no deed"
    house.later(days=31)
    await house.audit.run()
    assert not (await house.row("people.owner_alone")).is_accepted(house.now)
    await house.audit.accept(OWNER, row.id, 30, WHY)
    await house.audit.reconsider(OWNER, row.id)
    assert not (await house.row("people.owner_alone")).is_accepted(house.now)
    async with house.store.read() as connection:
        assert len(await deed.about(connection, row.id, list(DeedKind))) == 3


async def test_what_becomes_graver_is_not_accepted_any_more(house: House) -> None:
    house.later(days=366)
    overdue = [one for one in (await house.audit.run()).standing if one.code == "keys.overdue"]
    assert {one.severity for one in overdue} == {"low"}
    await house.audit.accept(OWNER, overdue[0].id, 366, WHY)
    house.later(days=360)
    await house.audit.run()
    async with house.store.read() as connection:
        before = await findings.by_id(connection, overdue[0].id)
    assert before is not None and before.is_accepted(house.now)
    house.later(days=5)
    await house.audit.run()
    async with house.store.read() as connection:
        after = await findings.by_id(connection, overdue[0].id)
    assert after is not None and after.severity == "medium"
    assert after.accepted_by is None, "a graver finding is a person's to look at anew"


@pytest.mark.parametrize(
    ("days", "why"), [(30, "short"), (30, "x" * 501), (0, WHY), (367, WHY), (-1, WHY), (30, " \n ")]
)
async def test_nobody_accepts_without_a_reason_or_for_ever(house: House, days: int, why: str) -> None:
    await house.audit.run()
    row = await house.row("people.owner_alone")
    with pytest.raises(Refusal) as refused:
        await house.audit.accept(OWNER, row.id, days, why)
    assert refused.value.code is Code.INVALID
    assert (await house.row("people.owner_alone")).accepted_by is None


async def test_only_owners_accept_and_only_what_stands(house: House) -> None:
    await house.audit.run()
    row = await house.row("people.owner_alone")
    for role in (Role.AUDITOR, Role.PRIVACY_OFFICER, Role.OPERATOR):
        viewer = Viewer("v", role, grants(role).anywhere)
        for deed_of in (house.audit.accept(viewer, row.id, 30, WHY), house.audit.reconsider(viewer, row.id)):
            with pytest.raises(Refusal) as refused:
                await deed_of
            assert refused.value.code is Code.FORBIDDEN
    for nothing in (house.audit.accept(OWNER, "0" * 16, 30, WHY), house.audit.reconsider(OWNER, row.id)):
        with pytest.raises(Refusal) as refused:
            await nothing
        assert refused.value.code is Code.NOT_FOUND


async def test_a_check_that_fails_leaves_the_others_and_what_it_found_before(house: House) -> None:
    await house.audit.run()
    async with house.store.unit() as unit:
        await unit.connection.execute(text("ALTER TABLE passkey RENAME TO away"))
    done = await house.audit.run()
    assert {row.code for row in done.standing} >= {"people.owner_alone", "people.no_second_factor"}
    by_name = {one["name"]: one for one in done.run.checks}
    assert by_name["people"]["unchecked"] and not by_name["keys"]["unchecked"]
    assert by_name["privacy"]["looked"] > 500


async def test_two_runs_at_once_find_everything_once(house: House) -> None:
    await asyncio.gather(*(house.audit.run() for _ in range(4)))
    async with house.store.read() as connection:
        standing = await findings.standing(connection)
        assert len(standing) == len({(row.code, row.subject) for row in standing}) == 4
        assert len(await findings.runs(connection, 10)) >= 1


async def test_it_runs_once_a_day(house: House) -> None:
    assert await house.audit.run_if_due()
    assert not await house.audit.run_if_due()
    house.later(hours=23)
    assert not await house.audit.run_if_due()
    house.later(hours=1)
    assert await house.audit.run_if_due()


async def test_what_the_database_has_and_no_table_explains_is_found(house: House) -> None:
    async with house.store.unit() as unit:
        await unit.connection.execute(text("CREATE TABLE stray (name TEXT)"))
        await unit.connection.execute(text("ALTER TABLE person ADD COLUMN shoe_size TEXT"))
        values = {"id": "m", "person_id": "p", "kind": "k", "sealed": b"", "state": "sent", "tries": 0, "why": None}
        values |= {"created_at": unit.now, "next_at": unit.now, "sent_at": None}
        await unit.connection.execute(insert(mail).values(values))
    house.later(days=33)
    rows = (await house.audit.run()).standing
    assert {row.subject for row in rows if row.code == "privacy.column_unexplained"} == {
        "stray.name",
        "person.shoe_size",
    }
    (late,) = [row for row in rows if row.code == "privacy.retention_overdue"]
    assert (late.subject, late.figures) == ("mail", {"rows": 1, "count": 3})


async def test_rights_in_use_are_noted_of_staff_alone_and_once_a_day(house: House) -> None:
    access = Access(house.store, house.safe, house.settings)
    async with house.store.unit() as unit:
        row = await accounts.by_name(unit.connection, house.safe.name_ref("olga"))
        assert row is not None
        cookie = await access.begin(unit, row, "passkey")
    viewer = await access.viewer_by_cookie(cookie)
    assert viewer is not None
    for _ in range(3):
        viewer.need(Scope.CARDS_READ)
        viewer.reach(Scope.SESSIONS_READ)
        viewer.may(Scope.BILLS_WRITE)
        await access.uses.write()
    with pytest.raises(Refusal):
        viewer.need(Scope.CHARGING_START)
    house.later(days=1)
    viewer.need(Scope.CARDS_WRITE)
    await access.uses.write()
    async with house.store.read() as connection:
        kept = (await connection.execute(select(scope_use).order_by(scope_use.c.at))).all()
    assert [(one.account_id, one.scopes) for one in kept] == [
        (row.id, "cards:read sessions:read"),
        (row.id, "cards:write"),
    ]
    driver = replace(row, role=Role.DRIVER)
    assert (await access.viewer_for(None, driver)).noted is None


async def test_a_role_wider_than_used_is_found(house: House) -> None:
    async with house.store.unit() as unit:
        row = await accounts.by_name(unit.connection, house.safe.name_ref("olga"))
        assert row is not None
        days = [{"account_id": row.id, "at": unit.now - timedelta(days=n), "scopes": "cards:write"} for n in range(12)]
        await unit.connection.execute(insert(scope_use), days)
    await house.audit.run()
    wide = await house.row("people.role_wide")
    assert wide.figures == {"role": "owner", "enough": "support", "days": 12}


# --- doors that are open --------------------------------------------------------------------------------


def serving(least: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if least is not ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = least
    context.load_cert_chain(CERTIFICATE, PRIVATE_KEY)
    return context


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize(
    ("least", "expected"), [(ssl.TLSVersion.TLSv1_2, set()), (ssl.TLSVersion.TLSv1, {"doors.protocol_old"})]
)
async def test_a_door_that_is_open_is_shaken_hands_with(
    least: ssl.TLSVersion, expected: set[str], tmp_path: Path
) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=serving(least))
    port = server.sockets[0].getsockname()[1]
    given: dict[str, Any] = {"ocpp_port": port, "http_port": 0, "tls_certificate": CERTIFICATE, "tls_key": PRIVATE_KEY}
    outcome = await doors.check(Settings(**given), datetime(2026, 1, 1, tzinfo=UTC))
    codes = {one.code.value for one in outcome.found} - {"doors.key_readable", "doors.certificate_expires"}
    assert codes == expected
    assert not outcome.unchecked and not outcome.skipped
    server.close()
    await server.wait_closed()
    shut = await doors.check(Settings(**given), datetime(2026, 1, 1, tzinfo=UTC))
    assert shut.unchecked == NOT_OPEN
    assert {one.value for one in shut.skipped} == {"doors.certificate_stale", "doors.protocol_old"}


async def test_a_door_without_tls_that_others_reach_is_found() -> None:
    outcome = await doors.check(Settings(host="0.0.0.0"), datetime(2026, 1, 1, tzinfo=UTC))  # noqa: S104
    assert {(one.code.value, one.subject) for one in outcome.found} == {
        ("doors.plain", "stations"),
        ("doors.plain", "people"),
    }
    for fine in (
        Settings(),
        Settings(public_url="http://localhost:8080"),
        Settings(public_url="https://charge.example.org"),
    ):
        assert (await doors.check(fine, datetime(2026, 1, 1, tzinfo=UTC))).found == ()
    proxied = Settings(public_url="http://charge.example.org")
    assert [one.subject for one in (await doors.check(proxied, datetime(2026, 1, 1, tzinfo=UTC))).found] == ["people"]


# --- packages -------------------------------------------------------------------------------------------


async def test_known_holes_are_found_and_where_nobody_looked_it_is_said_since_when(
    house: House, tmp_path: Path
) -> None:
    async def of_packages() -> tuple[set[str], str]:
        done = await house.audit.run()
        (check,) = [one for one in done.run.checks if one["name"] == "packages"]
        return {row.subject for row in done.standing if row.code == "packages.vulnerable"}, check["unchecked"]

    found, why = await of_packages()
    assert found == set() and why.endswith("That was never done here.")
    span = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999"}]}
    affected = [{"package": {"name": "Jinja2", "ecosystem": "PyPI"}, "ranges": [span]}]
    file = tmp_path / "osv.json"
    file.write_text(json.dumps({"id": "GHSA-1", "affected": affected}))
    os.utime(file, (house.now.timestamp(), house.now.timestamp()))
    house.audit = SecurityAudit(house.store, house.safe, replace(house.settings, advisories=str(file)), MemoryBus())
    assert await of_packages() == ({"jinja2"}, "")
    house.later(days=31)
    assert await of_packages() == ({"jinja2"}, "The file of advisories is 31 days old.")
    file.write_text("<html>not found</html>")
    found, why = await of_packages()
    assert found == {"jinja2"}, "a file that cannot be read mends nothing"
    assert why == "The file of advisories could not be read. That was last done on 2026-06-01."


async def test_osv_is_asked_where_that_is_set_and_told_of_packages_alone(house: House) -> None:
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int((re.search(rb"content-length: (\d+)", head, re.IGNORECASE) or [b"", b"0"])[1])
        body = await reader.readexactly(size)
        heard.append(head + body)
        told: Any = {"results": [{"vulns": [{"id": "GHSA-9"}]}]}
        if head.startswith(b"GET"):
            affected = [
                {
                    "package": {"name": "jinja2", "ecosystem": "PyPI"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
                }
            ]
            told = {"id": "GHSA-9", "affected": affected}
        said = json.dumps(told).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(said) + said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    given: dict[str, Any] = {"advisories_address": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}
    settings = replace(house.settings, advisories_online=True, **given)
    outcome = await packages.check(house.store, settings, house.now)
    assert [one.subject for one in outcome.found] == ["jinja2"]
    asked, looked = heard
    assert asked.startswith(b"POST /v1/querybatch") and looked.startswith(b"GET /v1/vulns/GHSA-9")
    queries = json.loads(asked.partition(b"\r\n\r\n")[2])["queries"]
    assert {frozenset(one) for one in queries} == {frozenset({"package", "version"})}
    server.close()
    await server.wait_closed()
    down = await packages.check(house.store, settings, house.now)
    assert down.unchecked.startswith("OSV could not be asked.") and down.skipped


async def test_a_stations_key_is_as_old_as_its_last_change(house: House) -> None:
    admission = Admission(house.store, house.safe, MemoryBus(), house.settings)
    for name in ("CP1", "CP2"):
        await admission.provision(name, "test")
    house.later(days=3 * 365 + 1)
    await admission.rekey("CP2", "test")
    rows = (await house.audit.run()).standing
    assert {row.subject for row in rows if row.code == "stations.key_old"} == {"CP1"}


# --- backups and the log --------------------------------------------------------------------------------


async def test_backups_are_known_by_their_deeds(house: House) -> None:
    async def of_backups() -> set[str]:
        return {row.code for row in (await house.audit.run()).standing if row.code.startswith("backups.")}

    assert await of_backups() == set(), "nobody misses the backup of an hour"
    house.later(days=8)
    assert await of_backups() == {"backups.missing"}
    async with house.store.unit() as unit:
        await deed.enter(unit, DeedKind.BACKED_UP, "command line", "", {})
    assert await of_backups() == {"backups.untested"}
    async with house.store.unit() as unit:
        await deed.enter(unit, DeedKind.RESTORE_TESTED, "command line", "", {})
    assert await of_backups() == set()
    house.later(days=4)
    assert await of_backups() == {"backups.old"}


async def test_a_row_that_was_changed_behind_the_log_is_found(house: House) -> None:
    async def of_log() -> set[str]:
        return {row.code for row in (await house.audit.run()).standing if row.code.startswith("log.")}

    async with house.store.unit() as unit:
        for n in range(3):
            await deed.enter(unit, DeedKind.BACKED_UP, "command line", str(n), {})
    keeper = Keeper(house.store, MemoryBus(), house.settings, Signing(house.store, house.safe, house.settings))
    await keeper.finish()
    assert await of_log() == {"log.unwitnessed"}
    note(Case.WITNESS_REFUSED)
    assert "log.witness_disagrees" not in await of_log(), "nobody listened"
    events = SecurityEvents(house.store, house.safe, MemoryBus())
    with heard_by(events.heard):
        note(Case.WITNESS_REFUSED, place="https://witness.example")
    await events.write()
    assert await of_log() == {"log.unwitnessed", "log.witness_disagrees"}
    async with house.store.unit() as unit:
        if unit.is_sqlite:
            await unit.connection.execute(text("DROP TRIGGER deed_no_update"))
        else:
            await unit.connection.execute(text("ALTER TABLE deed DISABLE TRIGGER ALL"))
        await unit.connection.execute(text("UPDATE deed SET subject = 'forged' WHERE n = 2"))
    assert "log.broken" in await of_log()
