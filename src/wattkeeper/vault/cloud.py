"""The root key inside AWS KMS or Google Cloud KMS, through Tink's integrations, which are imported only when chosen.

Neither could be started where this was written, so these ways are untested against the services themselves:
`docs/vault.md` says so.
"""

from __future__ import annotations

import importlib
from typing import Final

import tink
from tink import aead

from wattkeeper.vault.keys import KeyRefused, RootUnreachable

AWS: Final = "aws-kms://"
GCP: Final = "gcp-kms://"
CLIENTS: Final = {
    AWS: ("tink.integration.awskms", "AwsKmsClient", "tink[awskms]"),
    GCP: ("tink.integration.gcpkms", "GcpKmsClient", "tink[gcpkms]"),
}
"""By scheme: the module, its client, and the package that brings them."""


class CloudRoot:
    """A key of AWS KMS (``aws-kms://arn:aws:kms:…``) or Google Cloud KMS (``gcp-kms://projects/…``)."""

    def __init__(self, where: str, credentials: str = "") -> None:
        self.where = where
        """What people call it: the key's own address."""
        self._credentials = credentials or None
        self._client: aead.Aead | None = None

    def __repr__(self) -> str:
        """Where it is; never a credential."""
        return f"<CloudRoot {self.where}>"

    def wrap(self, plain: bytes, bound: bytes) -> bytes:
        """Have it wrapped; raises RootUnreachable."""
        try:
            return bytes(self._reached().encrypt(plain, bound))
        except tink.TinkError as problem:
            raise RootUnreachable(self._trouble("wrap", problem)) from None

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """Have it unwrapped; raises RootUnreachable, also where this is not the key that wrapped it."""
        try:
            return bytes(self._reached().decrypt(wrapped, bound))
        except tink.TinkError as problem:
            raise RootUnreachable(self._trouble("unwrap", problem)) from None

    def _reached(self) -> aead.Aead:
        """The key's cipher at the service; raises KeyRefused where what speaks to it is not installed."""
        if self._client is None:
            module, name, package = CLIENTS[AWS if self.where.startswith(AWS) else GCP]
            try:
                maker = getattr(importlib.import_module(module), name)
            except ImportError:
                raise KeyRefused(
                    f"What speaks to {self.where} is not installed. Run: pip install '{package}', then try again."
                ) from None
            try:
                self._client = maker(self.where, self._credentials).get_aead(self.where)
            except Exception as problem:
                raise RootUnreachable(self._trouble("reach", problem)) from None
        return self._client

    def _trouble(self, what: str, problem: Exception) -> str:
        """Why it did not go, and what to look at."""
        return (
            f"{self.where} did not {what} the installation's key ({type(problem).__name__}). See that it can be "
            "reached, that it is the key of this database, and that our credentials may encrypt and decrypt with it."
        )
