"""Certificates of erasure: what was done to forget somebody, signed, with counts and without names."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from wattkeeper.charging.privacy.erasure import Plan
from wattkeeper.vault.statement import holds, public_of, signed

FORMAT = "wattkeeper-erasure-1"
SIGNING = "signing:statements"
"""The name of the secret that signs statements."""
CANONICAL = orjson.OPT_SORT_KEYS


def plan_told(plan: Plan) -> dict[str, Any]:
    """A plan as JSON values, without names."""
    return {
        "subject": plan.person,
        "destroyed": {**plan.destroyed},
        "stays": {
            "sessions": plan.sessions,
            "energy_wh": f"{plan.energy_wh:f}",
            "documents": plan.documents,
            "documents_until": plan.keeps_until,
            "gross_minor": {**plan.gross_minor},
        },
        "told": [{"kind": one.kind.value, "name": one.name, "what": one.what.value} for one in plan.told],
        "obstacles": [one.value for one in plan.obstacles],
    }


def digest_of(plan: Plan) -> str:
    """SHA-256 of a plan, hexadecimal: who agrees to it agrees to this one."""
    return hashlib.sha256(orjson.dumps(plan_told(plan), option=CANONICAL)).hexdigest()


def certificate(secret: bytes, plan: Plan, renamed: Mapping[str, int], at: datetime) -> str:
    """The signed statement, JSON in one line: what was done, its signature, and the key to check it with."""
    statement = {
        "format": FORMAT,
        "at": at.isoformat(),
        "plan": digest_of(plan),
        "key_destroyed": True,
        "renamed": {**renamed},
        **{name: value for name, value in plan_told(plan).items() if name != "obstacles"},
    }
    told = orjson.dumps(statement, option=CANONICAL)
    whole = {
        "statement": told.decode(),
        "signature": base64.b64encode(signed(secret, told)).decode(),
        "key": base64.b64encode(public_of(secret)).decode(),
    }
    return orjson.dumps(whole, option=CANONICAL).decode()


def digest(text: str) -> str:
    """SHA-256 of a certificate, hexadecimal: what the log and the tombstone name it by."""
    return hashlib.sha256(text.encode()).hexdigest()


def checked(text: str, key: str = "") -> dict[str, Any]:
    """The statement of a certificate that holds, under ``key`` (base64) where one is given; raises ValueError."""
    try:
        whole = orjson.loads(text)
        told, public = whole["statement"].encode(), key or whole["key"]
        right = holds(base64.b64decode(public), told, base64.b64decode(whole["signature"]))
        statement = dict(orjson.loads(told))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("This is no certificate of erasure.") from None
    if not right:
        raise ValueError("The signature does not hold: the certificate was changed, or another key signed it.")
    return statement
