"""Meters that sign what they measured, as real ones do; and people who sign what they like."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.stories.world import CARD, minute, stamp


@dataclass(slots=True)
class Meter:
    """A meter with a key of its own that numbers its records."""

    serial: str = "M-0001"
    page: int = 16
    curve: ec.EllipticCurve = field(default_factory=ec.SECP256R1)
    secret: ec.EllipticCurvePrivateKey = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.secret = ec.generate_private_key(self.curve)

    @property
    def key(self) -> str:
        """Its public key, as it is printed on its paper."""
        public = self.secret.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return public.hex().upper()

    def sign(self, payload: str) -> str:
        """A record of a payload."""
        signature = self.secret.sign(payload.encode(), ec.ECDSA(hashes.SHA256())).hex().upper()
        name = {"secp256r1": "secp256r1", "secp384r1": "secp384r1"}[self.curve.name]
        return f'OCMF|{payload}|{{"SA":"ECDSA-{name}-SHA256","SD":"{signature}"}}'

    def payload(self, *readings: tuple[str, float, str], card: str = CARD, **more: str) -> str:
        """What it signs next: steps (B, E) with the minute of the story and the register in kWh, as written."""
        self.page += 1
        told = []
        for step, at, kwh in readings:
            fields = {"clock": "S", "state": "G", "errors": "", "register": "1-b:1.8.0", "unit": "kWh"} | more
            told.append(
                f'{{"TM":"{moment(minute(at))} {fields["clock"]}","TX":"{step}","RV":{kwh},"RI":"{fields["register"]}",'
                f'"RU":"{fields["unit"]}","EF":"{fields["errors"]}","ST":"{fields["state"]}"}}'
            )
        head = f'"FV":"1.0","GI":"Volt","GS":"{self.serial}","PG":"T{self.page}","MS":"{self.serial}"'
        user = f'"IS":true,"IL":"TRUSTED","IF":[],"IT":"ISO14443","ID":"{card}"'
        return f'{{{head},{user},"RD":[{",".join(told)}]}}'

    def whole(self, until: float = 60, begin: str = "2935.600", end: str = "2945.600", **more: str) -> str:
        """The record of a session from minute 0 on, with beginning and end."""
        return self.sign(self.payload(("B", 0, begin), ("E", until, end), **more))


def moment(at: datetime) -> str:
    """An instant as meters write it."""
    return f"{at:%Y-%m-%dT%H:%M:%S},{at.microsecond // 1000:03}+0000"


def in_v16(text: str, at: float, context: str = "Transaction.End") -> dict[str, Any]:
    """A meter value of 1.6 that carries a record."""
    return {"timestamp": stamp(at), "sampledValue": [{"value": text, "format": "SignedData", "context": context}]}


def in_v201(text: str, at: float, context: str = "Transaction.End", key: str = "") -> dict[str, Any]:
    """A meter value of 2.0.1 that carries a record beside its register."""
    signed = {
        "signedMeterData": base64.b64encode(text.encode()).decode(),
        "signingMethod": "ECDSA-secp256r1-SHA256",
        "encodingMethod": "OCMF",
        "publicKey": base64.b64encode(f"oca:base16:asn1:{key}".encode()).decode() if key else "",
    }
    sample = {
        "value": 10_000.0 if context == "Transaction.End" else 0.0,
        "context": context,
        "signedMeterValue": signed,
    }
    return {"timestamp": stamp(at), "sampledValue": [sample]}
