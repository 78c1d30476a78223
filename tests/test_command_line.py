"""The command line as a stranger uses it: the demo, a small installation, and what is said when something is wrong."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.commanding import command
from tests.meters import Meter

PATIENCE_S = 60


def environment(folder: Path, **given: str) -> dict[str, str]:
    """What a process of ours sees: a folder of its own, any free ports."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WATTKEEPER_")}
    places = {
        "WATTKEEPER_DATABASE": f"sqlite:///{folder / 'house.db'}",
        "WATTKEEPER_ROOT_KEY": str(folder / "house.key"),
        "WATTKEEPER_HTTP_PORT": "0",
        "WATTKEEPER_OCPP_PORT": "0",
        "COLUMNS": "160",
    }
    return kept | places | given


@asynccontextmanager
async def started(folder: Path, *arguments: str, **given: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that runs until it is told to stop, and then ends well."""
    command = (sys.executable, "-m", "wattkeeper", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, env=environment(folder, **given), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def run(folder: Path, *arguments: str, **given: str) -> tuple[int, str, str]:
    """Run a command to its end: exit status, what it printed, what it complained about."""
    return await asyncio.to_thread(command, arguments, environment(folder, **given), PATIENCE_S)


async def test_the_demo_tells_a_script_where_it_is_and_charges_cars(tmp_path: Path) -> None:
    async with started(tmp_path, "demo", "--json", "--speed", "600") as demo:
        assert demo.stdout is not None
        told = json.loads(await asyncio.wait_for(demo.stdout.readline(), PATIENCE_S))
        assert set(told) == {"http", "ocpp", "token", "operator", "password", "driver", "driver_password"}
        headers = {"Authorization": f"Bearer {told['token']}"}
        async with httpx.AsyncClient(base_url=told["http"], headers=headers, trust_env=False) as client:
            ended = await until_ended(client)
            assert ended["grade"] in {"measured", "reconstructed", "disputed"}
            stations = (await client.get("/api/v1/stations")).json()["items"]
            assert {s["version"] for s in stations if s["online"]} == {"ocpp1.6", "ocpp2.0.1"}
            waiting = (await client.get("/api/v1/waiting-room")).json()["items"]
            assert [one["id"] for one in waiting] == ["CP-09"]
            await shows_what_its_numbers_say(client)


async def shows_what_its_numbers_say(client: httpx.AsyncClient) -> None:
    """Months of sessions, findings with an amount, carbon, a forecast, a rule, and a driver who has bills."""

    async def told(path: str, **params: str) -> Any:
        return (await client.get(f"/api/v1/{path}", params=params)).json()

    today, year_ago = (str((datetime.now(UTC) - timedelta(days=days)).date()) for days in (0, 364))
    for _ in range(PATIENCE_S * 5):
        bills = (await told("bills", limit="200"))["items"]
        whole = (await told("statistics/use", first_day=year_ago, last_day=today))["whole"]
        if len(bills) > 100 and whole["sessions"] > 1_200:
            break
        await asyncio.sleep(0.2)
    assert len({one["started_at"][:7] for one in bills}) >= 4, "many months"
    findings = (await told("statistics/findings"))["items"]
    assert {"peak_charge", "energy_price"} <= {one["kind"] for one in findings}
    assert all(one["saved_minor"] > 0 for one in findings if one["kind"] in {"peak_charge", "energy_price"})
    forecast = await told("statistics/forecast")
    assert forecast["known_weeks"] >= 26
    assert len((await told("alert-rules"))["items"]) == 1


async def until_ended(client: httpx.AsyncClient) -> dict[str, str]:
    """The first session that ended with energy."""
    for _ in range(PATIENCE_S * 5):
        found = (await client.get("/api/v1/sessions", params={"state": "ended", "limit": 50})).json()["items"]
        live = [one for one in found if one["transaction_id"] and one["station"] != "CP-01"]  # which has a past too
        delivered = [one for one in live if float(one["energy_wh"] or 0) > 0]
        if delivered:
            return dict(delivered[0])
        await asyncio.sleep(0.2)
    raise AssertionError("no session ended")


async def test_a_first_installation(tmp_path: Path) -> None:
    cards = tmp_path / "cards.csv"
    cards.write_text("number;state\n04:A1:B2:C3;active\n04D4E5F6;blocked\n;active\n")
    assert (await run(tmp_path, "migrate"))[0] == 0
    status, out, err = await run(tmp_path, "cards", "import", str(cards))
    assert (status, out.strip()) == (1, "2 enrolled, 0 updated, 1 rejected.")
    assert "line 4" in err
    assert "A1B2" not in out + err
    status, out, _ = await run(tmp_path, "stations", "add", "CP1", "--site", "Garage", "--max-power-kw", "11")
    assert status == 0
    assert len(out.split()[-1]) == 40
    status, out, _ = await run(tmp_path, "accounts", "add", "ada", "--generate")
    assert (status, "ada can sign in" in out) == (0, True)
    assert (await run(tmp_path, "tokens", "add", "reader", "--scope", "sessions:read"))[1].startswith("wk_")
    listed = (await run(tmp_path, "tokens", "list"))[1].splitlines()[1].split()
    assert listed[1:3] == ["reader", "sessions:read"]
    assert listed[5] == "revoked", "without an end it is good until it is revoked"
    assert (await run(tmp_path, "tokens", "revoke", listed[0]))[0] == 0
    assert (await run(tmp_path, "tokens", "revoke", listed[0]))[0] == 1
    assert (await run(tmp_path, "accounts", "sign-out", "ADA"))[:2] == (0, "0 sign-ins ended.\n")
    assert (await run(tmp_path, "accounts", "sign-out", "--everybody"))[0] == 0
    assert "comes in by password" in (await run(tmp_path, "accounts", "erase-factors", "ada"))[1]
    assert "a name, or --everybody" in (await run(tmp_path, "accounts", "sign-out"))[2]
    assert "no account of that name" in (await run(tmp_path, "accounts", "sign-out", "bo"))[2]
    assert (await run(tmp_path, "accounts", "remove", "ada"))[0] == 0
    assert "No sessions yet" in (await run(tmp_path, "sessions", "list"))[1]
    assert "0 journal entries folded again" in (await run(tmp_path, "rebuild"))[1]
    async with started(tmp_path, "serve") as server:
        assert server.stdout is not None
        doors = [await asyncio.wait_for(server.stdout.readline(), PATIENCE_S) for _ in range(4)]
        assert doors[0].startswith(b"Stations   ws://127.0.0.1:")
        assert doors[1].startswith(b"People     http://localhost:"), "browsers make passkeys for names, not for numbers"
        assert b"good once" in doors[2]
        link = doors[3].decode().strip()
        assert link.startswith(doors[1].decode().split()[1] + "/first-owner/")
        async with httpx.AsyncClient(trust_env=False) as stranger:
            assert "The first owner" in (await stranger.get(link)).text
            assert (await stranger.get(link[:-1])).status_code == 404


async def test_who_works_here(tmp_path: Path) -> None:
    status, out, _ = await run(tmp_path, "owner", "create")
    assert (status, "/first-owner/" in out) == (0, True)
    assert "Nobody works here yet" in (await run(tmp_path, "staff", "list"))[1]
    assert (await run(tmp_path, "owner", "create", "--name", "ada", "--generate"))[0] == 0
    status, _, err = await run(tmp_path, "owner", "create")
    assert (status, "staff invite" in err) == (1, True)
    invited = ("staff", "invite", "bo@example.org", "--role", "site_host", "--site", "North")
    assert "/invitation/" in (await run(tmp_path, *invited))[1]
    listed = (await run(tmp_path, "staff", "list"))[1].splitlines()
    assert [line.split()[-4:-1] for line in listed[2:]] == [["site_host", "North", "invited"]]
    assert listed[1].split()[1:] == ["ada", "owner", "active", "never"]
    assert "only owner" in (await run(tmp_path, "staff", "disable", "ada"))[2]
    assert (await run(tmp_path, "owner", "create", "--name", "cy", "--generate"))[0] == 0
    assert (await run(tmp_path, "staff", "role", "CY", "auditor"))[:2] == (0, "CY is auditor now.\n")
    assert (await run(tmp_path, "staff", "disable", "cy"))[:2] == (0, "cy is let in no more.\n")
    again = await run(tmp_path, "accounts", "add", "CY", "--generate")
    assert (again[0], "CY is not let in" in again[1], ", as auditor. Password: " in again[1]) == (0, True, True)
    assert (await run(tmp_path, "staff", "enable", "cy"))[:2] == (0, "cy is let in again.\n")
    taken = await run(tmp_path, "owner", "create", "--name", "cy", "--generate")
    assert (taken[0], "wattkeeper staff role" in taken[2]) == (1, True)
    told = (await run(tmp_path, "staff", "list"))[1]
    assert [line.split()[2:4] for line in told.splitlines() if " cy " in line] == [["auditor", "active"]]


async def test_a_key_of_a_meter_is_pinned_listed_and_ended(tmp_path: Path) -> None:
    assert (await run(tmp_path, "migrate"))[0] == 0
    assert (await run(tmp_path, "stations", "add", "CP1"))[0] == 0
    key, pin = Meter().key, ("stations", "meter-key", "CP1", "--serial", "M-1")
    status, out, _ = await run(tmp_path, *pin, "--key", key, "--since", "2026-01-01T00:00:00+01:00")
    assert (status, "of meter M-1 is pinned at CP1, EVSE 1" in out) == (0, True)
    assert "no public key of a meter" in (await run(tmp_path, *pin, "--key", "00"))[2]
    assert "no instant with an offset" in (await run(tmp_path, *pin, "--key", key, "--since", "2026-01-01"))[2]
    assert "required there" in (await run(tmp_path, "stations", "require-signatures", "CP1"))[1]
    listed = (await run(tmp_path, "stations", "meters", "CP1"))[1]
    assert "M-1" in listed
    assert "signed values are required" in listed
    identifier = listed.splitlines()[1].split()[0]
    assert (await run(tmp_path, "stations", "end-meter-key", "CP1", identifier))[0] == 0
    assert "has ended already" in (await run(tmp_path, "stations", "end-meter-key", "CP1", identifier))[2]
    assert "There is no such station" in (await run(tmp_path, "stations", "require-signatures", "CP9"))[2]


async def test_the_policy_is_read_out(tmp_path: Path) -> None:
    assert "- Never: an auditor changes anything" in (await run(tmp_path, "policy", "show"))[1]
    out = (await run(tmp_path, "policy", "show", "--role", "site_host"))[1]
    assert "at the own sites" in out
    assert "cards:read" in out.partition("Refused:")[2]
    assert "permit (" in (await run(tmp_path, "policy", "show", "--text"))[1]


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        (("sessions", "show", "K7QM-4XRD-3"), {}, "is not a session id"),
        (("sessions", "show", "0000-0000-0"), {}, "There is no session 0000-0000-0 here"),
        (("sessions", "list"), {"WATTKEEPER_DATABASE": "oracle://x/y"}, "'oracle' is not supported"),
        (("migrate",), {"WATTKEEPER_PING_S": "soon"}, "WATTKEEPER_PING_S='soon' is not a valid float"),
        (("migrate",), {"WATTKEEPER_PINGS": "1"}, "Unknown setting WATTKEEPER_PINGS"),
        (("stations", "add", "CP 1\n"), {}, "identity"),
        (("serve",), {"WATTKEEPER_ROOT_KEY": "/dev/null"}, "root key"),
        (("simulate", "missing.json"), {}, "missing.json cannot be read: No such file or directory."),
        (("simulate",), {}, "No fleet came in."),
        (("simulate", "--most", "5"), {}, "it goes with --replay"),
        (("cards", "import", "missing.csv"), {}, "missing.csv"),
        (("frobnicate",), {}, "No such command"),
        (("staff", "role", "nobody", "auditor"), {}, "Nobody called nobody works here"),
        (("staff", "invite", "bo", "--role", "support"), {}, "not an e-mail address"),
        (("staff", "invite", "bo@example.org", "--role", "site_host"), {}, "one or more sites"),
        (("staff", "invite", "bo@example.org", "--role", "king"), {}, "'owner'"),
        (("tokens", "add", "x", "--expires", "soon"), {}, "90d"),
        (("tokens", "add", "x", "--expires", "2020-01-01"), {}, "not in the future"),
        (("tokens", "add", "x", "--scope", "staff:write"), {}, "No program can be given staff:write"),
        (("owner", "create", "--generate"), {}, "--name"),
        (("demo", "--speed", "0"), {}, "--speed"),
    ],
)
async def test_what_is_wrong_is_said_in_a_sentence(
    tmp_path: Path, arguments: tuple[str, ...], given: dict[str, str], said: str
) -> None:
    if said.startswith("There is no session"):
        await run(tmp_path, "migrate")
    status, out, err = await run(tmp_path, *arguments, **given)
    assert status != 0
    assert said in out + err
    assert "Traceback" not in err


async def test_a_database_that_was_never_migrated_is_named(tmp_path: Path) -> None:
    status, out, err = await run(tmp_path, "sessions", "list")
    assert status == 1
    assert "wattkeeper migrate" in out + err
    assert "Traceback" not in err
