"""A small server that answers as HashiCorp Vault documents its transit engine, for tests.

https://developer.hashicorp.com/vault/api-docs/secret/transit: encrypt, decrypt, rotate, read and config of a key.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "hvs.for-tests-only"


class Vault:
    """What the server holds: the versions of one key, and how it is set."""

    def __init__(self) -> None:
        self.versions = [AESGCM.generate_key(256)]
        self.least = 1
        self.token = TOKEN
        self.sealed = False
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.url = ""

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The status and body of an answer."""
        self.asked.append((method, path, body))
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        match path.removeprefix("/v1/transit/"), method:
            case "encrypt/wattkeeper", "POST":
                return 200, {"data": self._encrypt(body)}
            case "decrypt/wattkeeper", "POST":
                return self._decrypt(body)
            case "keys/wattkeeper/rotate", "POST":
                self.versions.append(AESGCM.generate_key(256))
                return 200, {"data": None}
            case "keys/wattkeeper/config", "POST":
                self.least = body["min_decryption_version"]
                return 204, {}
            case "keys/wattkeeper", "GET":
                return 200, {"data": {"latest_version": len(self.versions), "type": "aes256-gcm96"}}
        return 404, {"errors": []}

    def _encrypt(self, body: dict[str, Any]) -> dict[str, Any]:
        nonce = AESGCM.generate_key(128)[:12]
        plain, bound = (base64.b64decode(body.get(name, "")) for name in ("plaintext", "associated_data"))
        sealed = nonce + AESGCM(self.versions[-1]).encrypt(nonce, plain, bound)
        version = len(self.versions)
        return {"ciphertext": f"vault:v{version}:{base64.b64encode(sealed).decode()}", "key_version": version}

    def _decrypt(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        found = re.fullmatch(r"vault:v(\d+):(.+)", body["ciphertext"])
        if not found or not self.least <= int(found[1]) <= len(self.versions):
            return 400, {"errors": ["ciphertext or signature version is disallowed by policy (too old)"]}
        raw, bound = base64.b64decode(found[2]), base64.b64decode(body.get("associated_data", ""))
        try:
            plain = AESGCM(self.versions[int(found[1]) - 1]).decrypt(raw[:12], raw[12:], bound)
        except InvalidTag:
            return 400, {"errors": ["cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": base64.b64encode(plain).decode()}}


@contextmanager
def vault_server(vault: Vault) -> Iterator[Vault]:
    """The vault, answering at ``vault.url`` while the block runs."""

    class Answers(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
            good = self.headers.get("X-Vault-Token") == vault.token
            status, told = vault.answer(self.command, self.path, body) if good else (403, {"errors": ["denied"]})
            sent = b"" if status == 204 else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = _do  # noqa: N815 - as http.server asks for them

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    vault.url = f"hcvault://127.0.0.1:{server.server_address[1]}/transit/keys/wattkeeper"
    try:
        yield vault
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
