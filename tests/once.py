"""What never differs is worked out once: in each process, or in one of those that share the tests, for all of them."""

from __future__ import annotations

import fcntl
import os
import pickle
import ssl
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import pytest
from httpx import create_ssl_context as anew
from httpx._transports import default as transports
from starlette import routing

T = TypeVar("T")
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


def once_a_run(folders: pytest.TempPathFactory, name: str, work: Callable[[], T]) -> T:
    """What comes of this work, which one process does while others that need it too wait, and then read it."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return work()
    with (folders.getbasetemp().parent / f"{name}.once").open("a+b") as kept:
        fcntl.flock(kept, fcntl.LOCK_EX)
        kept.seek(0)
        if told := kept.read():
            return pickle.loads(told)  # type: ignore[no-any-return]
        made = work()
        kept.write(pickle.dumps(made))
        return made
