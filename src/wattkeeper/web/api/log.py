"""The log, for whoever wants to check: proofs that something is in it, and that it only ever grew. No sign-in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.log.proving import MOST_ENTRIES, Inclusion, data_of
from wattkeeper.web.api.shapes import PRINTABLE, Asked, Here, Nothing
from wattkeeper.web.doors.log import need_pace

router = APIRouter(tags=["log"], dependencies=[Depends(need_pace)])

Index = Annotated[int, Field(ge=0, lt=2**53)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
WHICH = phrase("Say which entry: its index, or the kind and the ref of a row.")


class LogCheckpoint(BaseModel):
    """What the log commits to."""

    size: int = Field(description="How many entries it has.")
    root: Hash = Field(description="The root of their tree (RFC 9162).")
    note: str = Field(description="The same, signed (C2SP signed-note), with what witnesses said of it.")
    keys: list[str] = Field(description="The keys under which it is verified, the newest first.")


class LogEntry(BaseModel):
    """An entry of the log: which row, and a commitment to what it said."""

    index: int
    leaf: str = Field(description="What is hashed, as it is.", examples=["1 bill 2026-000123 9f86d0…"])


class LogEntries(BaseModel):
    """Entries side by side."""

    size: int = Field(description="How many entries the newest checkpoint has.")
    items: list[LogEntry]


class LogInclusion(LogEntry):
    """A proof that an entry is in the log."""

    size: int = Field(description="Of the checkpoint.")
    path: list[Hash]
    note: str = Field(description="The checkpoint, signed.")


class LogConsistency(BaseModel):
    """A proof that a log begins with all that it had before."""

    first: int
    second: int
    path: list[Hash]


class EntrySought(Asked):
    """Which entry: by its index, or by what it is about."""

    index: Index | Nothing = Field(None, description="From 0 on.")
    kind: Annotated[str, StringConstraints(max_length=40, pattern=PRINTABLE)] | Nothing = Field(
        None, description="Such as bill."
    )
    ref: Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE)] | Nothing = Field(
        None, description="Such as 2026-000123."
    )


class Sizes(Asked):
    """From which size to which."""

    first: Index
    second: Index


class Stretch(Asked):
    """Which entries."""

    start: Index = 0
    limit: int = Field(100, ge=1, le=MOST_ENTRIES)


@router.get("/log/checkpoint")
async def show_log_checkpoint(rooms: Here) -> LogCheckpoint:
    """The newest checkpoint of the log, for anybody."""
    row = await rooms.log.checkpointed()
    keys = [str(key) for key in await rooms.log.keys()]
    return LogCheckpoint(size=row.size, root=row.root.hex(), note=await rooms.log.checkpoint(), keys=keys)


@router.get("/log/inclusion")
async def prove_inclusion(rooms: Here, wanted: Annotated[EntrySought, Query()]) -> LogInclusion:
    """A proof that an entry is in the newest checkpoint, for anybody (RFC 9162, 2.1.3)."""
    if wanted.index is not None and wanted.kind is None and wanted.ref is None:
        return _included(await rooms.log.inclusion(wanted.index))
    if wanted.index is None and wanted.kind is not None and wanted.ref is not None:
        return _included(await rooms.log.of_row(wanted.kind, wanted.ref))
    raise Refusal(Code.INVALID, WHICH)


def _included(proof: Inclusion) -> LogInclusion:
    path = [step.hex() for step in proof.path]
    return LogInclusion(index=proof.leaf.n, leaf=proof.line, size=proof.size, path=path, note=proof.note)


@router.get("/log/consistency")
async def prove_consistency(rooms: Here, wanted: Annotated[Sizes, Query()]) -> LogConsistency:
    """A proof that the log of the second size begins with all of the first, for anybody (RFC 9162, 2.1.4)."""
    path = await rooms.log.consistency(wanted.first, wanted.second)
    return LogConsistency(first=wanted.first, second=wanted.second, path=[step.hex() for step in path])


@router.get("/log/entries")
async def list_log_entries(rooms: Here, wanted: Annotated[Stretch, Query()]) -> LogEntries:
    """Entries of the log, as far as the newest checkpoint goes, for anybody."""
    size = (await rooms.log.checkpointed()).size
    rows = await rooms.log.entries(wanted.start, wanted.limit)
    return LogEntries(size=size, items=[LogEntry(index=row.n, leaf=data_of(row).decode()) for row in rows])
