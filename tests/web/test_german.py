"""The API in German: problems, the line of time, findings and what was kept, in the language that is asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from tests.web.conftest import House
from tests.web.driving import driver, ready
from tests.web.told import CARD, Teller, now

DE = {"Accept-Language": "de-AT, en;q=0.5"}


async def get(house: House, path: str, **headers: str) -> Any:
    """What the API answers in German."""
    answer: httpx.Response = await house.api.get(f"/api/v1{path}", headers=DE | headers)
    assert answer.headers["Content-Language"] == "de"
    return answer.json()


async def test_problems_are_told_in_the_language_asked_for(house: House) -> None:
    missing = await get(house, "/sessions/K7QM-4XRD-X")
    assert missing["title"] == "Nicht gefunden"
    assert missing["detail"] == "Diesen Ladevorgang gibt es nicht. Stimmt jedes Zeichen der Kennung?"
    assert (await get(house, "/sessions?limit=five"))["faults"] == [
        {"where": "query.limit", "why": "Es muss eine ganze Zahl sein."}
    ]
    assert (await get(house, "/nowhere"))["detail"] == "Unter dieser Adresse ist nichts."
    answer = await house.client(**DE).get("/api/v1/sessions")
    assert answer.json()["title"] == "Nicht angemeldet"
    english = await house.api.get("/api/v1/sessions/K7QM-4XRD-X", headers={"Accept-Language": "fr"})
    assert (english.headers["Content-Language"], english.json()["title"]) == ("en", "Not found")


async def test_the_line_of_time_is_told_in_german(house: House) -> None:
    await house.api.post("/api/v1/cards", json={"number": CARD})
    at = now()
    async with house.door.plugged() as station:
        await station.boot()
        teller = Teller(station, at)
        await teller.status("Preparing")
        await teller.say("Authorize", idTag=CARD)
        await teller.start()
        for minute in range(5):
            await teller.read(minute, 1000 + minute * 124)
        await teller.stop(8, 1992, reason="Remote")
        await teller.status("Faulted", at + timedelta(minutes=9))
    session = (await get(house, "/sessions"))["items"][0]
    steps = [step["words"] for step in (await get(house, f"/sessions/{session['id']}/timeline"))["items"]]
    assert steps == [
        "Ein Fahrzeug ist eingesteckt, oder eine Karte wurde hingehalten.",
        "Eine Karte wurde hingehalten.",
        "Die Karte wurde angenommen.",
        "Der Ladevorgang begann an Anschluss 1. Zählerstand 1,00 kWh.",
        "Der Zähler wurde 5 Mal abgelesen. Zählerstand 1,00 kWh bis 1,50 kWh, 7,4 kW.",
        "Der Ladevorgang endete. Er wurde von hier aus beendet. Zählerstand 1,99 kWh.",
        "Der Anschluss ist gestört.",
    ]


async def test_what_was_kept_in_english_is_told_in_german(house: House) -> None:
    async with house.door.plugged() as station:
        await station.boot()
        teller = Teller(station, now() - timedelta(hours=3))
        await teller.start("04FFFFFFFFFF01")
    decided = (await get(house, "/decisions"))["items"][0]
    assert decided["reason"] == (
        "Diese Karte ist hier nicht bekannt. Die Station ließ sie laden, ohne zu fragen, und meldete es später."
    )
    session = (await get(house, "/sessions"))["items"][0]
    words = [one["words"] for one in session["findings"]]
    assert "Er lief, obwohl die Karte abgelehnt wurde: unbekannt." in words


async def test_a_start_is_told_in_german(house: House) -> None:
    async with house.door.plugged() as station:
        await ready(house, station)
    client = await driver(house, "dora")
    made = await client.post("/api/v1/starts", json={"station": "CP1", "evse": 1}, headers=DE)
    again = await client.get(f"/api/v1/starts/{made.json()['id']}", headers=DE)
    for told in (made.json(), again.json()):
        assert told["why"] == (
            "Die Station ist gerade nicht erreichbar. Versuchen Sie es noch einmal, oder nehmen Sie eine andere."
        )
        assert told["words"].startswith("Der Ladevorgang hat nicht begonnen. ")
    place = (await client.get("/api/v1/places/CP1", headers=DE)).json()
    assert place["price"]["words"] == ["Hier ist kein Preis festgelegt, das Laden kostet also nichts."]
    assert {one["words"] for one in place["outlets"]} == {"Gerade nicht erreichbar"}
