"""What never differs is worked out once in each process: whom HTTP clients trust, and how addresses are matched."""

from __future__ import annotations

import os
import ssl
from functools import cache
from typing import Any

from httpx import create_ssl_context as anew
from httpx._transports import default as transports
from starlette import routing

NAMED = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Where an environment may name whom to trust."""


def work_out_once() -> None:
    """From now on clients that ask for nothing else share what they trust, and routes of one address its pattern."""
    shared = dict[tuple[Any, ...], ssl.SSLContext]()

    def trusted(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
        if verify is not True or cert is not None:
            return anew(verify=verify, cert=cert, trust_env=trust_env)
        asked = (trust_env, *map(os.environ.get, NAMED))
        if asked not in shared:
            shared[asked] = anew(trust_env=trust_env)
        return shared[asked]

    setattr(transports, "create_ssl_context", trusted)  # noqa: B010 - here and below: a library's function
    setattr(routing, "compile_path", cache(routing.compile_path))  # noqa: B010
