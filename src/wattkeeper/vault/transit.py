"""The root key inside HashiCorp Vault (or OpenBao): its transit engine wraps and unwraps, the key never leaves it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx

from wattkeeper.vault.keys import KeyRefused, RootUnreachable

TRANSIT: Final = "hcvault://"
NEAR: Final = frozenset({"127.0.0.1", "::1", "localhost"})
"""Where words may go in the clear: they never leave the machine."""
TIMEOUT_S: Final = 10.0


class Transit:
    """A key of Vault's transit engine, such as ``hcvault://vault.example:8200/transit/keys/wattkeeper``.

    The token is read from its file each time, so that whoever renews it there needs no restart. The key must be an
    AEAD key (aes256-gcm96, chacha20-poly1305), and not derived: what we bind goes along as associated data.
    """

    def __init__(self, where: str, token_file: str, ca_file: str = "") -> None:
        parts = urlsplit(where)
        mount, found, key = parts.path.strip("/").rpartition("/keys/")
        if not (parts.hostname and found and mount and key) or "/" in key:
            raise ValueError(
                f"WATTKEEPER_ROOT={where!r} is no key of Vault; one is {TRANSIT}HOST:8200/transit/keys/NAME."
            )
        if not token_file:
            raise ValueError(
                "Vault asks for a token: put it into a file (mode 0600), named in WATTKEEPER_ROOT_TOKEN_FILE."
            )
        scheme = "http" if parts.hostname in NEAR and not ca_file else "https"
        self._base = f"{scheme}://{parts.netloc}/v1/{quote(mount)}"
        self._key = quote(key)
        self._token_file = Path(token_file)
        self._ca_file = ca_file
        self.where = f"Vault's key {mount}/keys/{key} at {parts.netloc}"
        """What people call it."""

    def __repr__(self) -> str:
        """Where it is; never the token."""
        return f"<Transit {self.where}>"

    def wrap(self, plain: bytes, bound: bytes) -> bytes:
        """Have it wrapped (POST …/encrypt/NAME); raises KeyRefused, RootUnreachable."""
        told = self._ask("encrypt", {"plaintext": _b64(plain), "associated_data": _b64(bound)})
        return str(told["ciphertext"]).encode()

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """Have it unwrapped (POST …/decrypt/NAME); raises KeyRefused, RootUnreachable."""
        if not wrapped.startswith(b"vault:"):
            raise KeyRefused(f"The installation key was not wrapped by {self.where}. Set WATTKEEPER_ROOT to what did.")
        told = self._ask("decrypt", {"ciphertext": wrapped.decode(), "associated_data": _b64(bound)})
        return base64.b64decode(told["plaintext"])

    def turn(self) -> int:
        """Have the key take its next version (POST …/keys/NAME/rotate), and give it; raises KeyRefused."""
        self._ask("rotate", {}, f"keys/{self._key}/rotate")
        told = self._ask("read", None, f"keys/{self._key}")
        return int(told["latest_version"])

    def end_before(self, version: int) -> None:
        """Have what older versions wrapped opened no more (``min_decryption_version``); raises KeyRefused."""
        self._ask("config", {"min_decryption_version": version}, f"keys/{self._key}/config")

    def _ask(self, what: str, body: dict[str, Any] | None, path: str = "") -> dict[str, Any]:
        """The ``data`` of Vault's answer."""
        address = f"{self._base}/{path or f'{what}/{self._key}'}"
        verify: Any = self._ca_file or True
        try:
            with httpx.Client(timeout=TIMEOUT_S, trust_env=False, verify=verify) as client:
                method = "GET" if body is None else "POST"
                answer = client.request(method, address, json=body, headers={"X-Vault-Token": self._token()})
        except (httpx.HTTPError, OSError) as problem:
            raise RootUnreachable(
                f"{self.where} does not answer ({type(problem).__name__}). Nothing new is opened until it does; "
                "see that Vault runs, is unsealed and can be reached from here, then try again."
            ) from None
        return self._understood(what, answer)

    def _understood(self, what: str, answer: httpx.Response) -> dict[str, Any]:
        """What a good answer says; the reasons of others in words that hold no secret."""
        status = answer.status_code
        if status in (200, 204):
            data = answer.json().get("data") if answer.content else {}
            return data if isinstance(data, dict) else {}
        if status == 403:
            raise RootUnreachable(
                f"{self.where} refuses our token for {what}. Put a token that may {what} with this key into "
                "WATTKEEPER_ROOT_TOKEN_FILE."
            )
        if status == 400 and what == "decrypt":
            raise KeyRefused(
                f"{self.where} cannot open this installation's key: it is another key, or the version that wrapped it "
                "was ended there. Name the right key in WATTKEEPER_ROOT, or lower its min_decryption_version."
            )
        if status in (429, 472, 473, 500, 502, 503, 504):
            raise RootUnreachable(
                f"{self.where} is not ready (HTTP {status}): sealed, a standby or too busy. Unseal it."
            )
        raise KeyRefused(f"{self.where} refused to {what} (HTTP {status}). See that the key exists and is an AEAD key.")

    def _token(self) -> str:
        try:
            return self._token_file.read_text().strip()
        except OSError:
            raise RootUnreachable(f"The token for {self.where} cannot be read from {self._token_file}.") from None


def _b64(plain: bytes) -> str:
    return base64.b64encode(plain).decode()
