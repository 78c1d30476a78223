"""Doors that do not exist, by the rows of the list: the day one is made, its test fails and says what it withstands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import wattkeeper
from tests.attacks.test_e_doors import routes
from tests.web.conftest import House
from tests.web.described import endpoints
from wattkeeper.charging.person import EVERYTHING, Scope
from wattkeeper.store.money.revenue import Facet

SOURCES = Path(wattkeeper.__file__).parent

IDENTITY = (
    *("/saml", "/saml/acs", "/saml/metadata", "/sso", "/login/saml", "/.well-known/openid-configuration"),
    *("/oauth/userinfo", "/userinfo", "/oauth/register", "/oauth/introspect", "/oauth/par", "/oauth/device"),
    *("/login/company/logout", "/login/company/backchannel", "/oauth/logout", "/oauth/end_session", "/oauth/jwks"),
)


@pytest.fixture
def engine() -> str:
    """What is not there is in no store."""
    return "sqlite"


async def test_e24_no_other_way_of_telling_who_somebody_is(house: House) -> None:
    """No SAML, no identity provider of ours, no sign-out by another's word, no registration without an owner."""
    async with house.client() as stranger:
        for path in IDENTITY:
            for method in ("GET", "POST"):
                assert (await stranger.request(method, path)).status_code in (404, 405), (method, path)
        told = (await stranger.get("/.well-known/oauth-authorization-server")).json()
    named = {"registration_endpoint", "userinfo_endpoint", "end_session_endpoint", "jwks_uri", "introspection_endpoint"}
    assert not named & set(told)
    assert told["grant_types_supported"] == ["authorization_code", "refresh_token"]
    assert told["response_types_supported"] == ["code"]


EXPORTS = re.compile(r"export|download|dump|backup|takeout|archive|\.(csv|xlsx?|zip|pdf|json)$", re.IGNORECASE)
VISITS = re.compile(r"webhook|hook|callback_url|ocpi|roaming|partner|proxy|fetch|import_url", re.IGNORECASE)
UPLOADS = re.compile(r"upload|diagnostic|firmware|logs?$|file", re.IGNORECASE)
OURS = {"/login/company/callback", "/app/manifest.webmanifest", "/api/v1/openapi.json", "/tariffs/named/{tariff}/ocpi"}
WEBHOOKS = ["/alert-webhooks", "/alert-webhooks/{webhook}", "/alerts/webhooks", "/alerts/webhooks/remove"]
"""Where operators say which programs are told of alerts (test_e18_webhooks.py)."""
OWN = "/history.csv"
"""A driver's own sessions, for the driver alone."""
YEARS = "/consumption/{year}/sheet"
"""A driver's own year, for the driver alone, after a fresh proof (tests/web/test_years.py)."""
SUMS = ("/api/v1/revenue", "/api/v1/payments/reconciliation")
"""Sums of money by day, place, tariff and group; movements by the provider's names: no person is in any column."""
BOOKS = "/api/v1/books/{book}"
"""Documents and lines of the ledger: who owes stands in them by the id alone (tests/web/test_books.py)."""
DESK_BOOKS = "/money/books/{book}.csv"
"""The same books of a month, from the page of those who may read them (tests/web/test_invoices.py)."""
ARCHIVES = ("/api/v1/account/archive", "/api/v1/privacy/people/{person}/archive")
"""One person's own data (Art. 15), after a fresh proof; whoever answers for them is in the log (test_g7_archive.py)."""
SIDES = {"day", "month", "site", "station", "tariff", "group"}
PAPERS = (
    *("/bills/{number}/paper", "/bills/{number}/invoice", "/statements/{month}"),
    *("/monthly-invoices/{invoice}/paper", "/monthly-invoices/{invoice}/invoice", "/consumption/{year}/paper"),
)
"""One bill, one monthly invoice, one's own month or year; its payer is named to themselves (test_papers.py)."""
SIGNED = "/sessions/{session}/signed-values.xml"
"""What a meter signed about one session, its card too: for whoever charged alone (tests/web/test_meters.py)."""


def addresses(house: House) -> set[str]:
    """Every address there is, of pages and of the API."""
    return (
        {one.path for one in routes(house.app) if hasattr(one, "path")}
        - OURS
        - {OWN, DESK_BOOKS, "/app/privacy/archive", *(one.removeprefix("/api/v1") for one in ARCHIVES)}
    )


async def test_e23_nothing_exports_who_drivers_are(house: House) -> None:
    """E3 and E23: an export must ask for a reason, be bounded, be approved by a second person and raise an alarm."""
    assert [path for path in addresses(house) if EXPORTS.search(path)] == []
    for path, methods in house.app.openapi()["paths"].items():
        for method, described in methods.items():
            for answer in described["responses"].values():
                kinds = set(answer.get("content", {})) - (
                    {"text/csv"} if path.endswith((OWN, YEARS, *SUMS, BOOKS)) else set()
                )
                kinds -= {"application/pdf"} if path.endswith(PAPERS) else set()
                kinds -= {"application/zip"} if path in ARCHIVES else set()
                kinds -= {"application/xml"} if path.endswith(SIGNED) else set()
                assert kinds <= {"application/json", "application/problem+json", "text/event-stream"}, (method, path)
    assert {facet.value for facet in Facet} == SIDES, "sums of no person"
    assert Scope.PERSONS_READ in EVERYTHING
    asked = [one.label for one in endpoints(house.app.openapi()) if Scope.PERSONS_READ in one.scopes]
    one_by_one = ["GET /persons/{person}", "POST /persons/{person}/looks"]
    assert sorted(asked) == one_by_one, "each person for a purpose and a reason of its own: test_g8_looking.py"


async def test_e18_nothing_is_visited_because_somebody_named_it(house: House) -> None:
    """E18: resolve once, check every address, connect to that one, follow nothing; hosts of firmware from a list."""
    assert sorted(path for path in addresses(house) if VISITS.search(path)) == WEBHOOKS
    visitors = {
        path.name
        for path in SOURCES.rglob("*.py")
        if re.search(r"httpx\.(Async)?Client", path.read_text()) and "simulator" not in path.parts
    }
    named_in_settings = {"provider.py", "transit.py", "witnessing.py"}  # the company's sign-in, the root key, witnesses
    watching = {"following.py", "running.py"}  # a witness, which visits the logs that its operator named
    named_by_operators = {"webhook.py"}  # what is told of alerts: test_e18_webhooks.py says what it withstands
    holes = {"advisories.py"}  # OSV, at the address of a setting, where that allows it; it is told names and versions
    assert visitors == named_in_settings | watching | holes | named_by_operators, (
        "nobody else is asked anything, and never where a stranger says"
    )
    askers = {path.name for path in SOURCES.rglob("*.py") if "import stripe" in path.read_text()}
    assert askers == {"stripe.py"}, "only the payment provider is asked, by its own library, at its own address"
    for library in ("urllib.request", "aiohttp", "http.client"):
        assert [path.name for path in SOURCES.rglob("*.py") if library in path.read_text()] == [], library


async def test_e19_nothing_is_uploaded_but_a_list_of_cards_and_a_tariff(house: House) -> None:
    """E19: a name of ours, a cap, a token good once, nothing unpacked. Both are text that is read and never kept."""
    assert [path for path in addresses(house) if UPLOADS.search(path)] == []
    takers = {path.name for path in SOURCES.rglob("*.py") if "UploadFile" in path.read_text()}
    assert takers == {"cards.py", "importing.py"}
    for library in ("zipfile", "tarfile", "shutil.unpack", "gzip", "lzma", "bz2"):
        found = [path.name for path in SOURCES.rglob("*.py") if f"import {library}" in path.read_text()]
        # what is packed, what is told, and workbooks that a command reads within bounds (tests/history/test_hostile.py)
        packs = ["archive.py", "advisories.py", "sheet.py"] if library == "zipfile" else []
        assert set(found) <= set(packs), f"{library}: what is packed is a bomb until proved otherwise"


async def test_e15_nothing_is_printed_but_pages_bills_and_plain_letters(house: House) -> None:
    """E15: a letter in HTML shows what stations and strangers said, a place where it must be inert.

    So does a PDF, of which there are five kinds: bills, monthly invoices, months and years of one's own, and the
    report of the security audit. That they are inert, tests/operations/test_papers.py and test_monthly_papers.py say.
    """
    makers = {path.name for path in SOURCES.rglob("*.py") if "import typst" in path.read_text()}
    senders = {path.name for path in SOURCES.rglob("*.py") if "application/pdf" in path.read_text()}
    assert (makers, senders) == ({"printing.py"}, {"audit.py", "papers.py", "receipts.py"})
    for library in (
        "reportlab",
        "weasyprint",
        "fpdf",
        "pdfkit",
        "add_alternative",
        'subtype="html"',
    ):
        found = {path.name for path in SOURCES.rglob("*.py") if library in path.read_text()}
        assert found == set(), library


async def test_e14_nothing_is_signed_for_others_to_believe(house: House) -> None:
    """E14: tokens of ours are opaque; the one library for signed ones only judges those of the company."""
    users = {path.name for path in SOURCES.rglob("*.py") if "joserfc" in path.read_text()}
    assert users == {"id_token.py", "provider.py"}
    assert [path.name for path in SOURCES.rglob("*.py") if "jwt.encode" in path.read_text()] == []
