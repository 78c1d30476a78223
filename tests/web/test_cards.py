"""Cards over the API: enrolled, imported, changed; their numbers never come back."""

from __future__ import annotations

from tests.web.conftest import House

NUMBER = "04:A2:b9:7f"


async def test_a_card_is_enrolled_and_shown_without_its_number(house: House) -> None:
    new = {"number": NUMBER, "name": "Anna Example", "group": "crew", "expires_at": "2031-01-01T00:00:00+01:00"}
    answer = await house.api.post("/api/v1/cards", json=new)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["shown"], told["state"], told["group"], told["max_sessions"]) == ("••7F", "active", "crew", 1)
    assert told["expires_at"] == "2030-12-31T23:00:00Z"
    listed = await house.api.get("/api/v1/cards")
    assert [one["ref"] for one in listed.json()["items"]] == [told["ref"]]
    for text in (answer.text, listed.text):
        assert "04A2B9" not in text.upper()
        assert "Anna" not in text
    again = await house.api.post("/api/v1/cards", json={"number": "04a2b97f"})
    assert again.status_code == 409


async def test_a_card_changes_member_by_member(house: House) -> None:
    new = {"number": NUMBER, "group": "crew", "expires_at": "2031-01-01T00:00:00Z", "max_sessions": 3}
    ref = (await house.api.post("/api/v1/cards", json=new)).json()["ref"]
    told = (await house.api.patch(f"/api/v1/cards/{ref}", json={"state": "blocked"})).json()
    assert (told["state"], told["group"], told["max_sessions"]) == ("blocked", "crew", 3)
    assert told["expires_at"] == "2031-01-01T00:00:00Z"
    told = (await house.api.patch(f"/api/v1/cards/{ref}", json={"expires_at": None, "group": None})).json()
    assert (told["state"], told["group"], told["expires_at"]) == ("blocked", None, None)
    date = {"expires_at": "2031-01-01"}
    for wrong in ({"state": "replaced"}, {"state": None}, {"max_sessions": 0}, {"number": "1"}, date):
        assert (await house.api.patch(f"/api/v1/cards/{ref}", json=wrong)).status_code == 422, wrong
    assert (await house.api.patch("/api/v1/cards/p1:" + "0" * 32, json={"state": "blocked"})).status_code == 404


async def test_a_blocked_card_may_not_charge(house: House) -> None:
    ref = (await house.api.post("/api/v1/cards", json={"number": NUMBER})).json()["ref"]
    async with house.door.plugged() as station:
        await station.boot()
        answer = await station.call("Authorize", {"idTag": "04A2B97F"})
        assert answer[2]["idTagInfo"]["status"] == "Accepted"
        await house.api.patch(f"/api/v1/cards/{ref}", json={"state": "blocked"})
        answer = await station.call("Authorize", {"idTag": "04A2B97F"})
        assert answer[2]["idTagInfo"]["status"] == "Blocked"


async def test_a_list_is_imported_and_its_bad_rows_told(house: House) -> None:
    text = "number;name;state\n04A2B97F;Anna;\n;Nobody;\n04A2B980;Bert;blocked\n04-a2-b9-7f;Again;\n"
    answer = await house.api.post("/api/v1/cards/import", content=text, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["imported"], told["updated"], told["rejected_count"]) == (2, 0, 2)
    assert [row["line"] for row in told["rejected"]] == [3, 5]
    assert "04" not in answer.text.replace("04-a2", "")
    again = (await house.api.post("/api/v1/cards/import", content=text)).json()
    assert (again["imported"], again["updated"]) == (0, 2)
    blocked = (await house.api.get("/api/v1/cards?state=blocked&last2=80")).json()["items"]
    assert [one["shown"] for one in blocked] == ["••80"]


async def test_a_list_that_cannot_be_understood_is_refused(house: House) -> None:
    for text in ("", "\n", "04A2B97F\n", "number;number\n", "number;colour\n", "name\nAnna\n"):
        answer = await house.api.post("/api/v1/cards/import", content=text)
        assert answer.status_code == 422, text
        assert "04A2B97F" not in answer.text


async def test_cards_come_in_pages_the_newest_first(house: House) -> None:
    rows = "number\n" + "".join(f"CARD{n:04}\n" for n in range(7))
    await house.api.post("/api/v1/cards/import", content=rows)
    seen, cursor = [], None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await house.api.get("/api/v1/cards", params=query)).json()
        seen += [one["ref"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 7


async def test_a_list_may_be_larger_than_other_bodies(house: House) -> None:
    text = "number;name\n" + ("04A2B97F;" + "x" * 100_000 + "\n") * 20
    answer = await house.api.post("/api/v1/cards/import", content=text)
    assert answer.status_code == 200
    assert answer.json()["rejected_count"] == 20
