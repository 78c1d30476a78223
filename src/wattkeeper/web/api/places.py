"""Places to charge, as drivers find them, and the codes on connectors."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field, StringConstraints, model_validator

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money.tariffs.prices import estimated
from wattkeeper.operations.stations.places import Outlet as Socket
from wattkeeper.operations.stations.places import Place as Found
from wattkeeper.operations.stations.places import Use
from wattkeeper.web.api.money.tariffs import BillShown, PriceShown, bill_shown, price_shown
from wattkeeper.web.api.shapes import (
    PLAIN,
    PRINTABLE,
    Amount,
    Anyone,
    Asked,
    Here,
    Nothing,
    StationId,
    StationsReader,
    StationsWriter,
    Told,
    Words,
)

router = APIRouter(tags=["places"])
TypedCode = Annotated[str, Path(max_length=64, description="The code on the connector.")]


class Outlet(Told):
    """An EVSE as drivers see it: how it stands, never who charges there."""

    station: str
    evse: int
    code: str = Field(description="The code on the connector; empty where it has none.")
    plug: str | None = Field(description="OCPI ConnectorType.")
    plug_words: Words
    max_power_w: Amount | None
    use: Use
    words: Words
    can_start: bool
    price: PriceShown = Field(description="What it costs there, whoever asks.")


class Place(BaseModel):
    """A station as drivers see it."""

    station: str
    name: str
    address: str
    latitude: Amount | None
    longitude: Amount | None
    distance_m: int | None = Field(description="As the crow flies, where it was asked from somewhere.")
    outlets: list[Outlet]
    price: PriceShown


class PlaceList(BaseModel):
    """Places, the nearest first, or by name."""

    items: list[Place]


class Spot(BaseModel):
    """The place of a code, and the EVSE that it is on."""

    place: Place
    outlet: Outlet


class ConnectorCode(BaseModel):
    """A code to be printed."""

    evse: int
    code: str
    path: str = Field(description="What the QR code leads to, on this installation's address.")


class ConnectorCodes(BaseModel):
    """The codes of a station."""

    name: str
    items: list[ConnectorCode]


class PlaceFilter(Asked):
    """Which places: near somewhere, or by words."""

    lat: Annotated[Decimal, Field(ge=-90, le=90)] | Nothing = Field(None, description="Degrees north.")
    lon: Annotated[Decimal, Field(ge=-180, le=180)] | Nothing = Field(None, description="Degrees east.")
    q: Annotated[str, StringConstraints(max_length=100, pattern=PRINTABLE)] | Nothing = Field(
        None, description="Words in name, address or id."
    )
    limit: Annotated[int, Field(ge=1, le=100), PLAIN] = 20

    @model_validator(mode="after")
    def _is_whole(self) -> PlaceFilter:
        """A place is told by both of its degrees."""
        if (self.lat is None) != (self.lon is None):
            raise ValueError(phrase("Name both lat and lon, or neither."))
        return self


@router.get("/places")
async def find_places(rooms: Here, viewer: Anyone, wanted: Annotated[PlaceFilter, Query()]) -> PlaceList:
    """Places to charge: the nearest first, or by words in their name or address."""
    if wanted.lat is not None and wanted.lon is not None and not wanted.q:
        found = await rooms.places.near(viewer, wanted.lat, wanted.lon, wanted.limit)
    else:
        found = await rooms.places.find(viewer, wanted.q or "", wanted.limit)
    return PlaceList(items=[_place(one) for one in found])


@router.get("/places/{station}")
async def show_place(rooms: Here, viewer: Anyone, station: StationId) -> Place:
    """One place that drivers can find."""
    return _place(await rooms.places.place(viewer, station))


class EstimateFilter(Asked):
    """What a session would be like that begins now."""

    evse: Annotated[int, Field(ge=1, le=2**31 - 1), PLAIN]
    energy_wh: Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=13, decimal_places=6)]
    charging_s: Annotated[int, Field(ge=0, le=864_000), PLAIN] = 3600
    parking_s: Annotated[int, Field(ge=0, le=864_000), PLAIN] = Field(0, description="Plugged in afterwards.")


class Estimate(BaseModel):
    """What it would cost, by the function that bills."""

    price: PriceShown
    bill: BillShown | None = Field(description="Null: no price is set.")


@router.get("/places/{station}/estimate")
async def estimate_cost(
    rooms: Here, viewer: Anyone, station: StationId, wanted: Annotated[EstimateFilter, Query()]
) -> Estimate:
    """What a session of one's own would cost there that begins now, charges evenly, and then stands plugged in."""
    place = await rooms.places.place(viewer, station)
    tag = next((one.price for one in place.outlets if one.evse == wanted.evse), None)
    if tag is None:
        raise Refusal(Code.NOT_FOUND, phrase("There is no such connector."))
    bill = estimated(tag, wanted.energy_wh, Decimal(wanted.charging_s), Decimal(wanted.parking_s))
    return Estimate(price=price_shown(tag), bill=None if bill is None else bill_shown(bill))


@router.get("/connector-codes/{code}")
async def read_code(rooms: Here, viewer: Anyone, code: TypedCode, request: Request) -> Spot:
    """The connector that a code is on. A code that was never made, or made anew since, does not exist."""
    place, outlet = await rooms.places.at(viewer, code, request.client.host if request.client else "")
    return Spot(place=_place(place), outlet=_outlet(outlet))


@router.get("/stations/{station}/codes")
async def show_codes(rooms: Here, viewer: StationsReader, station: StationId) -> ConnectorCodes:
    """The codes of a station's connectors, to be printed."""
    name, codes = await rooms.places.printed(viewer, station)
    items = [ConnectorCode(evse=one.evse, code=one.code, path=one.path) for one in codes]
    return ConnectorCodes(name=name, items=items)


@router.post("/stations/{station}/codes")
async def renew_codes(rooms: Here, viewer: StationsWriter, station: StationId) -> ConnectorCodes:
    """Give a station other codes; those that are printed end at once."""
    await rooms.places.renew(viewer, station)
    return await show_codes(rooms, viewer, station)


def _place(found: Found) -> Place:
    same = {name: getattr(found, name) for name in Place.model_fields if name not in ("outlets", "price")}
    return Place(**same, outlets=[_outlet(one) for one in found.outlets], price=price_shown(found.price))


def _outlet(one: Socket) -> Outlet:
    same = {name: getattr(one, name) for name in Outlet.model_fields if name != "price"}
    return Outlet(**same, price=price_shown(one.price))
