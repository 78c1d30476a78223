from tests.web.conftest import House
async def test_x(house: House) -> None:
    for path in ("/me","/health","/stations","/stations/CP1","/stations/CP2","/sessions","/cards","/orders","/waiting-room","/nope", "/sessions/K7QM-4XRD-2", "/stations?limit=0&x=1","/openapi.json"):
        r = await house.api.get("/api/v1"+path)
        print(path, r.status_code, r.headers["content-type"], r.text[:600])
    r = await house.api.put("/api/v1/stations/CP1"); print(r.status_code, r.headers, r.text)
    r = await house.client().get("/api/v1/me"); print(r.status_code, r.headers, r.text)
    assert 0
