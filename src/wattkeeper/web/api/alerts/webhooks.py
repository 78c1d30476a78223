"""Webhooks that are told of alerts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.person import Scope
from wattkeeper.web.api.alerts.rules import Name
from wattkeeper.web.api.shapes import PRINTABLE, Asked, Here, StationsReader, StationsWriter, Told

router = APIRouter(tags=["alerts"])
HookId = Annotated[str, Path(max_length=40, pattern=r"^[0-9a-z]{1,40}$")]
Address = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=PRINTABLE)]


class AlertWebhook(Told):
    """A webhook; never its address or its secret."""

    id: str
    name: str
    host: str
    ended_at: datetime | None = Field(description="Since when nothing is sent there: it answered 410.")
    created_at: datetime


class AlertWebhookList(BaseModel):
    """Webhooks by name."""

    items: list[AlertWebhook]


class NewAlertWebhook(Asked):
    """A webhook to be made."""

    name: Name = Field(description="What it is for.")
    address: Address = Field(description="Such as `https://example.org/alerts`; https and public, unless settings say.")


class ShownSecret(BaseModel):
    """A webhook and its secret, which is shown this once."""

    webhook: AlertWebhook
    secret: str = Field(description="Signs what is sent (Standard Webhooks); it cannot be shown again.")


@router.get("/alert-webhooks")
async def find_alert_webhooks(rooms: Here, viewer: StationsReader) -> AlertWebhookList:
    """The webhooks there are; for whoever may see every station."""
    viewer.need(Scope.STATIONS_READ)
    return AlertWebhookList(items=[AlertWebhook.model_validate(one) for one in await rooms.alerts.hooks.find(viewer)])


@router.post("/alert-webhooks", status_code=201)
async def make_alert_webhook(rooms: Here, viewer: StationsWriter, new: NewAlertWebhook) -> ShownSecret:
    """Make a webhook; its secret is shown this once."""
    row, secret = await rooms.alerts.hooks.make(viewer, new.name, new.address)
    return ShownSecret(webhook=AlertWebhook.model_validate(row), secret=secret)


@router.delete("/alert-webhooks/{webhook}", status_code=204)
async def remove_alert_webhook(rooms: Here, viewer: StationsWriter, webhook: HookId) -> None:
    """Take a webhook away, with its secret and what waits for it."""
    await rooms.alerts.hooks.remove(viewer, webhook)
