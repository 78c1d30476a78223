"""How a newcomer introduces itself (which station, which key, which dialects), and what may be decided on it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from wattkeeper.charging.station import Version
from wattkeeper.operations.stations.admission import Welcome

ROOT = "/ocpp/"


@dataclass(frozen=True, slots=True)
class Introduction:
    """What the opening request says; nothing of it is proven yet. Prints without the key."""

    station: str | None
    """The identity in the path, percent-decoded; None where the path is no station's."""
    user: bytes | None
    password: bytes | None
    offered: tuple[str, ...]
    """The subprotocols it offers, in its spelling and order."""
    from_page: bool
    """Whether a browser's page opened it: it names an origin, which no station has."""

    def __repr__(self) -> str:
        return f"Introduction(station={self.station!r}, offered={self.offered!r})"


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer to a newcomer that stays out."""

    status: int
    text: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """An authenticated newcomer, and the dialect it will speak."""

    welcome: Welcome
    version: Version | None
    """None: it offers nothing that is spoken here, and is to be closed after the handshake."""
    subprotocol: str | None
    """What the answer names; None where it must name none."""
    deflate: bool = False


def introduce(path: str, authorization: Sequence[str], offered: Sequence[str], origin: Sequence[str]) -> Introduction:
    """Read the path and headers of an opening request (each header with all its values)."""
    station = _station(path)
    user, password = _credentials(authorization, station or "")
    names = tuple(name.strip() for value in offered for name in value.split(",") if name.strip())
    return Introduction(station, user, password, names, bool(origin))


def _station(path: str) -> str | None:
    """The identity in a path such as ``/ocpp/CP%201`` (OCPP-J 3.1.1); a doubled or trailing slash is overlooked."""
    path = path.partition("?")[0]
    if not path.startswith(ROOT):
        return None
    rest = path.removeprefix(ROOT).strip("/")
    if not rest or "/" in rest:
        return None
    try:
        return unquote_to_bytes(rest).decode()
    except UnicodeDecodeError:
        return None


def _credentials(authorization: Sequence[str], station: str) -> tuple[bytes | None, bytes | None]:
    """User and password of HTTP Basic, as bytes; None where there are none that can be read.

    The identity may hold a colon (2.0.1 identifierString), so the user ends where the identity does if it is that.
    """
    if len(authorization) != 1:
        return None, None
    scheme, _, encoded = authorization[0].strip().partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        pair = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None, None
    own = station.encode() + b":"
    if pair.startswith(own):
        return own[:-1], pair[len(own) :]
    user, colon, password = pair.partition(b":")
    return (user, password) if colon else (None, None)


def choose(offered: Sequence[str], pinned: Version | None, missing: str) -> tuple[Version | None, str | None]:
    """The dialect to speak, and the station's own spelling of it for the answer (None: answer without one).

    Of several it is the one the station spoke last time, else the newest. ``missing`` is the dialect of stations
    that offer none at all; where nothing fits the version is None: complete the handshake, then close (OCPP-J 3.2).
    """
    if not offered:
        return (Version(missing) if missing else None), None
    spelled = {name.lower(): name for name in reversed(offered)}
    for version in (pinned, Version.V201, Version.V16):
        if version is not None and version.value in spelled:
            return version, spelled[version.value]
    return None, None
