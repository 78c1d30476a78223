"""The witness's doors: checkpoints to cosign (C2SP tlog-witness), the cosigned ones, and how it stands. Raw ASGI."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs

from wattkeeper.vault.note import NUMBER
from wattkeeper.witness.judging import Judged, Refused, Witness
from wattkeeper.witness.memory import Remembered

MOST_BYTES: Final = 64 * 1024
MOST_STEPS: Final = 63
TEXT: Final = "text/plain; charset=utf-8"
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Answer = tuple[int, str, bytes]


class Unread(ValueError):  # noqa: N818 - what cannot be read is an answer
    """A request that is not written as the protocol says."""


class Door:
    """The application."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        status, media, body = await self._answer(scope, receive)
        headers = [
            (b"content-type", media.encode()),
            (b"cache-control", b"no-store"),
            (b"content-length", b"%d" % len(body)),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Mapping[str, Any], receive: Receive) -> Answer:
        """What is asked, and what is said to it."""
        method, path = scope["method"], scope["path"]
        if path == "/add-checkpoint":
            return self._added(await _body(receive)) if method == "POST" else (405, TEXT, b"")
        if method not in ("GET", "HEAD"):
            return 405, TEXT, b""
        if path == "/checkpoint":
            asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
            return self._checkpoint(asked.get("origin", [""])[0])
        if path == "/key":
            return 200, TEXT, f"{self._witness.signer.verifier}\n".encode()
        if path == "/health":
            alarmed = self._witness.is_alarmed()
            return (503 if alarmed else 200), "application/json", json.dumps(self._standing()).encode()
        return (200, "text/html; charset=utf-8", self._page()) if path == "/" else (404, TEXT, b"")

    def _added(self, body: bytes | None) -> Answer:
        """``POST /add-checkpoint``"""
        try:
            if body is None:
                return 413, TEXT, b""
            first, path, note = read_request(body)
        except Unread:
            return 400, TEXT, b"This is not how tlog-witness asks.\n"
        judged = self._witness.judge(note, first, path)
        if judged.refused is None:
            return 200, TEXT, judged.line.encode()
        return _refusal(judged)

    def _checkpoint(self, origin: str) -> Answer:
        """The newest cosigned checkpoint of a log; of the only one, where none is named."""
        logs = self._witness.memory.logs
        known = logs.get(origin) if origin else next(iter(logs.values()), None) if len(logs) == 1 else None
        if known is None or known.seen is None:
            return 404, TEXT, b"No such log was seen yet. Ask with ?origin=NAME where there are several.\n"
        return 200, TEXT, known.seen.note.encode()

    def _standing(self) -> dict[str, Any]:
        """How it stands, for programs."""
        logs = [_standing(origin, known) for origin, known in self._witness.memory.logs.items()]
        return {"witness": str(self._witness.signer.verifier), "alarmed": self._witness.is_alarmed(), "logs": logs}

    def _page(self) -> bytes:
        """How it stands, for people."""
        rows = "".join(_row(origin, known) for origin, known in self._witness.memory.logs.items())
        name = html.escape(self._witness.signer.name)
        key = html.escape(str(self._witness.signer.verifier))
        head = "<th>Log</th><th>Entries</th><th>Cosigned</th><th>Alarms</th>"
        return PAGE.format(
            name=name, key=key, head=head, rows=rows or "<tr><td colspan=4>Nothing yet.</td></tr>"
        ).encode()


def read_request(body: bytes) -> tuple[int, list[bytes], str]:
    """The old size, the proof and the note of a request; raises Unread."""
    head, parted, note = body.partition(b"\n\n")
    try:
        first, *steps = head.decode("ascii").split("\n")
        word, size = first.split(" ")
        path = [base64.b64decode(step, validate=True) for step in steps]
        told = note.decode()
    except ValueError:
        raise Unread from None
    if not parted or word != "old" or NUMBER.fullmatch(size) is None or len(path) > MOST_STEPS:
        raise Unread
    if any(len(step) != 32 for step in path):
        raise Unread
    return int(size), path, told


def _refusal(judged: Judged) -> Answer:
    """A refusal as the protocol says it."""
    assert judged.refused is not None
    if judged.refused is Refused.CONFLICT:
        return 409, "text/x.tlog.size", f"{judged.size}\n".encode()
    return judged.refused.status, TEXT, f"{judged.refused.name.lower()}\n".encode()


async def _body(receive: Receive) -> bytes | None:
    """What was sent; None where it is too long."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MOST_BYTES:
            return None
    return body


def _standing(origin: str, known: Remembered) -> dict[str, Any]:
    """One log, for programs."""
    seen = known.seen
    alarms = [{"kind": one.kind, "words": one.words, "at": one.at, "note": one.note} for one in known.alarms]
    return {"origin": origin, "size": seen.size if seen else 0, "at": seen.at if seen else None, "alarms": alarms}


def _row(origin: str, known: Remembered) -> str:
    """One log, for people."""
    seen = known.seen
    when = f"{datetime.fromtimestamp(seen.at, UTC):%Y-%m-%d %H:%M} UTC" if seen else "not yet"
    alarms = "<br>".join(f"<strong>{html.escape(one.kind)}</strong>: {html.escape(one.words)}" for one in known.alarms)
    cells = (html.escape(origin), f"{seen.size:,}" if seen else "0", when, alarms or "none")
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Witness {name}</title><style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #ccc; vertical-align: top; }}
td:nth-child(2) {{ font-variant-numeric: tabular-nums; }}
td {{ overflow-wrap: anywhere; }}
@media (max-width: 40rem) {{ thead {{ display: none; }} tr, td {{ display: block; border: 0; padding: .1rem 0; }} }}
code {{ overflow-wrap: anywhere; }} strong {{ color: #b00020; }}
</style></head><body><h1>Witness {name}</h1>
<p>It cosigns what logs sign, where each continues what it saw of it last. Its key: <code>{key}</code></p>
<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>
<p>Cosigned checkpoints: <code>/checkpoint?origin=NAME</code>. For monitors: <code>/health</code>, 503 once alarmed.</p>
</body></html>
"""
