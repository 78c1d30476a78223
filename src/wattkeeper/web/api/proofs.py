"""What meters signed about sessions, and whether it holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from wattkeeper.charging.evidence import say
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.metering.ocmf import Clock, Record, Register, Step
from wattkeeper.operations.metering.proofs import Proof
from wattkeeper.web.api.sessions import Spoken
from wattkeeper.web.api.shapes import Here, SessionId, SessionsReader, Words, session_id_of

router = APIRouter(tags=["sessions"])
MEDIA_TYPE = "application/xml"
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "For the S.A.F.E. transparency software; it holds the card's number.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}


class SignedRegister(BaseModel):
    """A register as the meter signed it."""

    at: datetime
    clock: Clock = Field(description="How far the time is to be trusted (OCMF): U unknown, I informative, S set, R.")
    step: Step
    value: str = Field(description="Digit by digit as the meter wrote it.")
    unit: str
    register_name: str = Field(description="An OBIS code, where the meter names one.")
    state: str = Field(description="Of the meter: G is good.")
    errors: str


class SignedRecord(BaseModel):
    """A record that a meter signed, without who charged."""

    page: str = Field(description="The meter's own count of its records.")
    serial: str
    registers: list[SignedRegister]


class SignedValues(BaseModel):
    """What the meter of a session signed, and what the check of it came to."""

    session: SessionId
    is_verified: bool = Field(description="Whether beginning and end are proven under the pinned key.")
    serial: str = Field(description="The meter whose key is pinned; empty: none is.")
    key: str = Field(description="Its public key, hexadecimal.")
    findings: list[Words]
    records: list[SignedRecord]


@router.get("/sessions/{session}/signed-values")
async def show_signed_values(rooms: Here, viewer: SessionsReader, session: Spoken) -> SignedValues:
    """What the meter of a session signed. Never for whom: that stands in the file alone."""
    return _values(await rooms.proofs.of(viewer, session_id_of(session)))


@router.get("/sessions/{session}/signed-values.xml", responses=FILE, response_class=Response, response_model=None)
async def download_signed_values(rooms: Here, viewer: SessionsReader, session: Spoken) -> Response:
    """The signed record of one's own session, to be checked with the S.A.F.E. transparency software."""
    identifier = session_id_of(session)
    return sent(identifier, await rooms.proofs.file(viewer, identifier))


def sent(session: str, file: bytes) -> Response:
    """A signed record as an answer that nobody on the way keeps."""
    name = f'attachment; filename="{shown(session)}.xml"'
    return Response(file, media_type=MEDIA_TYPE, headers={"Content-Disposition": name, "Cache-Control": "no-store"})


def _values(proof: Proof) -> SignedValues:
    return SignedValues(
        session=proof.session,
        is_verified=proof.ruling.is_verified,
        serial=proof.ruling.serial,
        key=proof.key,
        findings=[say(one) for one in proof.ruling.findings],
        records=[_record(one) for one in proof.records],
    )


def _record(one: Record) -> SignedRecord:
    return SignedRecord(
        page=one.paged, serial=one.serial, registers=[_register(register) for register in one.registers]
    )


def _register(one: Register) -> SignedRegister:
    return SignedRegister(
        at=one.at,
        clock=one.clock,
        step=one.step,
        value=one.written,
        unit=one.unit,
        register_name=one.name,
        state=one.state,
        errors=one.errors,
    )
