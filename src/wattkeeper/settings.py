"""Every setting, once: typed, defaulted, one line of why. Each is read from ``WATTKEEPER_<NAME>``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, timedelta, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from wattkeeper.charging.cards.radar import StepUp
from wattkeeper.charging.money.payments.paying import Way

THIS_MACHINE = frozenset({"127.0.0.1", "::1", "0.0.0.0", "::"})  # noqa: S104 - compared, not bound
"""What `host` says where a browser on this machine gets in by ``localhost``."""


def setting(default: Any, why: str) -> Any:
    """A setting with its default and the one line that explains it."""
    return field(default=default, metadata={"why": why})


@dataclass(frozen=True, slots=True)
class Settings:
    """How one installation runs."""

    profile: str = setting(
        "development",
        "production refuses to start where anything would go in clear or is left open; wattkeeper check tells what.",
    )
    database: str = setting(
        "sqlite:///wattkeeper.db",
        "Where everything is kept: sqlite:///file or postgresql://host/name?sslmode=verify-full.",
    )
    root_key: Path = setting(
        Path("wattkeeper.key"), "The root key file (mode 0600); beside, never inside, the database."
    )
    root: str = setting(
        "file",
        "Where the root key is: file (root_key), hcvault://HOST:8200/transit/keys/NAME (HashiCorp Vault), aws-kms://ARN"
        " or gcp-kms://projects/… of a key.",
    )
    root_token_file: str = setting(
        "", "A file (mode 0600) with the token for Vault, or with the credentials for the cloud; read at each use."
    )
    root_ca_file: str = setting("", "PEM certificates that Vault's own must lead to; empty: those this machine trusts.")
    forgotten: str = setting(
        "",
        "The file of who was forgotten, by ids that lead to nobody; empty: beside the root key, with its name. Keep it"
        " with that key: it keeps an older copy of the database from bringing anybody back.",
    )
    key_days: int = setting(
        365, "After how many days a key is overdue to be replaced, as wattkeeper keys tells; 0: none ever is."
    )
    host: str = setting("127.0.0.1", "The address both doors listen on.")
    http_port: int = setting(8080, "The people's door: pages and API.")
    ocpp_port: int = setting(9000, "The stations' door: OCPP over WebSocket.")
    public_url: str = setting(
        "", "The address people type; https there makes cookies Secure. Empty: this machine, or host, and http_port."
    )
    trusted_proxies: str = setting(
        "127.0.0.1, ::1",
        "Proxies before our doors, addresses or networks, that may say whom they heard; whoever else says so is not"
        " believed. Without them, all who come through a proxy share its address where guesses are counted.",
    )
    proxy_header: str = setting(
        "x-forwarded-for", "The header in which they say it: x-forwarded-for or forwarded (RFC 7239)."
    )
    https_below: bool = setting(
        True,
        "Whether browsers that come by https are told to use it for every name below ours too; no, where others run"
        " something there that has no https.",
    )
    tls_certificate: str = setting(
        "", "PEM certificate chain: stations then use wss (security profile 2), people https."
    )
    tls_key: str = setting("", "PEM private key of the certificate.")
    tls_by_proxy: bool = setting(
        False, "Whether a proxy of ours ends TLS before both doors, which then listen to it alone and in clear."
    )
    waiting_room: bool = setting(
        False, "Hold unknown stations pending on the operator's page instead of only refusing them."
    )
    heartbeat_s: int = setting(300, "The heartbeat interval given to stations, seconds.")
    ping_s: float = setting(30.0, "How often an idle station is pinged, seconds; 0 never pings.")
    pong_s: float = setting(30.0, "How long a ping may stay unanswered and the line silent, seconds.")
    probation_s: float = setting(
        2.0, "How long an old connection may take to prove that it lives when its twin appears, seconds."
    )
    handshake_s: float = setting(10.0, "How long a connection may take to introduce itself, seconds.")
    max_frame_bytes: int = setting(
        1_048_576, "The largest message, inflated, bytes; real stations send reports beyond 64 KiB."
    )
    max_connections: int = setting(20_000, "How many sockets the stations' door holds at once.")
    max_connections_per_address: int = setting(
        2_000, "How many of them from one address; a proxy or NAT may hide many stations."
    )
    missing_subprotocol: str = setting(
        "ocpp1.6", "What a known station speaks that names no dialect; empty refuses it (Q35)."
    )
    order_timeout_s: float = setting(30.0, "How long a station may take to answer a command, seconds.")
    order_queue_s: float = setting(60.0, "How long an order waits for its station to connect, seconds.")
    local_lists: bool = setting(
        True, "Whether stations are given the cards that they may accept while they cannot ask."
    )
    local_list_entries: int = setting(1_000, "How many cards a station's own list holds, where it tells no fewer.")
    local_list_at_once: int = setting(100, "How many cards one message about the list names, where it tells nothing.")
    enrolment_s: float = setting(120.0, "How long a driver has to tap a card at the station they chose, seconds.")
    radar_step_up: StepUp = setting(
        StepUp.NEVER,
        'When a card\'s holder is asked "is this you?" before energy flows: never, suspect (the card may have been'
        " copied) or number_only (then, and always with cards that prove nothing but a number).",
    )
    number_card_kwh_month: int = setting(
        0, "The most energy a month on a card that is only a number and so can be copied, kWh; 0 is no limit."
    )
    silence_s: float = setting(
        3600.0, "After how long without a word from its station an open session is closed by an estimate, seconds."
    )
    clock_skew_s: float = setting(
        300.0, "How far ahead of ours a station's clock may run before it is flagged, seconds."
    )
    default_max_power_w: int = setting(
        400_000, "The most power an EVSE is believed to deliver where the station says nothing, W."
    )
    password_list: str = setting(
        "", "A file of passwords that are known from breaches, one a line, plain or as SHA-1: nobody may choose them."
    )
    billing: bool = setting(True, "Whether sessions with good evidence bill themselves once they have ended.")
    billing_grace_s: float = setting(
        60.0, "How long after its end a session is billed, seconds: its station may tell more."
    )
    billing_backlog_days: int = setting(
        7, "How many days after its start a session may be told, as after an outage, and still bill itself."
    )
    station_costs: bool = setting(
        True, "Whether stations that can show prices and costs are told them: the price, the cost so far, the total."
    )
    station_cost_every_s: float = setting(
        60.0,
        "How often at most a station is told what a session has cost so far, seconds; a changed price is told at once.",
    )
    four_eyes_minor: int = setting(
        5_000,
        "Corrections of more than this need a second person, minor units (cents); 0: every correction does.",
    )
    seller_name: str = setting("", "Who sells the energy, as bills name them, such as Strom & Rad GmbH.")
    seller_street: str = setting("", "Their street and number.")
    seller_postcode: str = setting("", "Their postcode.")
    seller_city: str = setting("", "Their town.")
    seller_country: str = setting("", "Their country, two letters (ISO 3166), such as AT.")
    seller_vat_id: str = setting("", "Their VAT number, such as ATU12345678; without it nobody is given an invoice.")
    seller_iban: str = setting("", "The account that invoices ask to be paid to; empty names none.")
    payment_days: int = setting(14, "Within how many days invoices ask to be paid.")
    pay_by: Way = setting(Way.INVOICE, "How drivers pay where nothing else is chosen: free, invoice, prepaid or card.")
    pay_choices: str = setting("", "Which of these drivers may choose themselves, such as card, prepaid.")
    pay_currency: str = setting("EUR", "The currency (ISO 4217) of prepaid balances, and of what is reserved on cards.")
    authorise_minor: int = setting(
        5_000, "How much is reserved on a card when a session begins, minor units (cents); 0 reserves nothing."
    )
    prepaid_least_minor: int = setting(
        100, "With less than this on a prepaid balance nothing begins, minor units (cents)."
    )
    top_up_least_minor: int = setting(1_000, "The least that a prepaid balance is topped up by at once, minor units.")
    top_up_most_minor: int = setting(50_000, "The most, minor units.")
    stripe_key_file: str = setting("", "A file with the secret key of a Stripe account; empty: no cards are taken.")
    stripe_secret_file: str = setting(
        "", "A file with the signing secret of its webhook, which is to point at /payments/stripe here."
    )
    stripe_address: str = setting("", "Where Stripe is asked, if not at its own address; for tests.")
    tax_exemption: str = setting("", "Why no tax applies, where prices bear none; invoices must say it.")
    log_name: str = setting(
        "", "What the log is called, once and for all, such as charge.example/log; empty: public_url's host and /log."
    )
    log_checkpoint_s: float = setting(
        60.0,
        "How often the log is signed where it has grown, seconds. What was not signed yet is not published: where few"
        " stations are, a day hides when something happened.",
    )
    log_witnesses: str = setting(
        "", "Witnesses that each checkpoint is sent to: addresses, separated by commas; see docs/log.md."
    )
    log_witness_keys: str = setting("", "Their verifier keys, separated by commas; what others sign is not kept.")
    login_hours: int = setting(12, "How long a sign-in of staff lasts, hours.")
    driver_login_days: int = setting(90, "How long a sign-in of a driver lasts, days.")
    login_idle_hours: int = setting(
        2, "After how long without a page of theirs open anywhere a sign-in of staff ends, hours."
    )
    driver_login_idle_days: int = setting(30, "After how long without use a sign-in of a driver ends, days.")
    staff_passkeys: bool = setting(
        True, "Whether staff need a passkey or authenticator app before they can do anything but look after themselves."
    )
    mail_host: str = setting("", "The mail server (SMTP) that letters to people are handed to; empty sends none.")
    mail_port: int = setting(587, "Its port.")
    mail_tls: str = setting(
        "starttls", "How the way to it is secured: starttls, tls from the start, or none (this machine only)."
    )
    mail_ca_file: str = setting("", "PEM certificates that its own must lead to; empty: those this machine trusts.")
    mail_user: str = setting("", "The name to sign in there with, where it asks for one.")
    mail_password_file: str = setting("", "A file with the password for it.")
    mail_from: str = setting("wattkeeper@localhost", "The address that letters come from.")
    outbox: bool = setting(
        False, "Show letters to anyone on the page /outbox while no mail server is set. For demonstrations only."
    )
    support_mail: str = setting("", "Where drivers write about a session; empty offers no letter, only its id.")
    privacy_contact: str = setting(
        "", "Where people write about their data, as the privacy notice names it; empty: support_mail."
    )
    privacy_authority: str = setting(
        "", "The data protection authority that they may complain to, as the privacy notice names it."
    )
    look_minutes: int = setting(
        15, "How long a person's data stays open to one of the staff who gave a purpose and a reason, minutes."
    )
    alert_inside: bool = setting(
        False,
        "Whether webhooks of alerts may lead into the own network or to this machine, there by http too; no: by https"
        " to public addresses alone, so that nobody can have us ask what only we can reach.",
    )
    oidc_issuer: str = setting(
        "", "The issuer of the company's own sign-in (OpenID Connect), exactly as it writes itself; empty for none."
    )
    oidc_client_id: str = setting("", "What this installation is called there.")
    oidc_client_secret_file: str = setting("", "A file with its secret there; empty where it has none.")
    oidc_name: str = setting("your company", "What people read on the button: Sign in with ….")
    oidc_scope: str = setting("openid profile email", "What is asked for there; openid must be among it.")
    oidc_role_claim: str = setting("", "The claim with a person's groups or roles there, such as groups.")
    oidc_roles: str = setting(
        "", "Which of them is which role here, the first that fits: charge-admins=owner, helpdesk=support."
    )
    oidc_default_role: str = setting(
        "", "The role of anyone else the company signs in. Empty lets only those in who were invited and connected."
    )
    time_zone: str = setting(
        "UTC",
        "The zone in which pages tell times and days begin, such as Europe/Vienna. Once it is another, all totals are "
        "counted anew.",
    )
    advisories: str = setting(
        "", "A file or folder of known holes in packages, as OSV hands them out (its all.zip, or JSON)."
    )
    advisories_online: bool = setting(
        False, "Whether OSV itself is asked once a day; it is told the names and versions of packages and nothing else."
    )
    advisories_address: str = setting("https://api.osv.dev", "Where OSV is asked.")
    docs: bool = setting(True, "Whether the API's description is published at /api/v1/openapi.json and /api/v1/docs.")

    @property
    def tombstones(self) -> Path:
        """The file of who was forgotten."""
        return Path(self.forgotten) if self.forgotten else self.root_key.with_suffix(".forgotten")

    @property
    def address(self) -> str:
        """The address people type, without a slash at the end."""
        return self.address_at(self.http_port)

    def address_at(self, port: int) -> str:
        """As `address`, where the people's door is at this port.

        This machine goes by its name: browsers make no passkeys for numbers (W3C Web Authentication, 5.1.3).
        """
        scheme = "https" if self.tls_certificate else "http"
        host = "localhost" if self.host in THIS_MACHINE else self.host
        return (self.public_url or f"{scheme}://{host}:{port}").rstrip("/")

    def login_lasts(self, *, is_staff: bool) -> timedelta:
        """How long a sign-in lasts."""
        return timedelta(hours=self.login_hours) if is_staff else timedelta(days=self.driver_login_days)

    def login_rests(self, *, is_staff: bool) -> timedelta:
        """After how long without use a sign-in ends."""
        return timedelta(hours=self.login_idle_hours) if is_staff else timedelta(days=self.driver_login_idle_days)

    @property
    def zone(self) -> tzinfo:
        """The zone in which pages tell times and months begin; raises ValueError where there is none of its name."""
        return zone_of(self.time_zone)

    @property
    def is_secure(self) -> bool:
        """Whether people come by https."""
        return self.address.startswith("https://")


@lru_cache(maxsize=8)
def zone_of(name: str) -> tzinfo:
    """The zone of a name such as ``Europe/Vienna``; raises ValueError where there is none."""
    try:
        return UTC if name in ("", "UTC") else ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"There is no time zone {name!r}; use one such as Europe/Vienna.") from None


def _parse(kind: object, text: str, name: str) -> object:
    """A setting's text as its type; raises ValueError that names the setting."""
    try:
        if kind == "bool":
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]
        return {"int": int, "float": float, "Path": Path, "str": str, "StepUp": StepUp, "Way": Way}[str(kind)](text)
    except (KeyError, ValueError):
        raise ValueError(f"WATTKEEPER_{name.upper()}={text!r} is not a valid {kind}.") from None


def load(environment: Mapping[str, str] | None = None, **given: object) -> Settings:
    """``given`` first, then the environment, then the defaults; ValueError names what is wrong."""
    environment = os.environ if environment is None else environment
    known = {f.name: f for f in fields(Settings)}
    unknown = [k for k in environment if k.startswith("WATTKEEPER_") and k[11:].lower() not in known]
    if unknown:
        raise ValueError(f"Unknown setting {unknown[0]}; see docs/settings.md for those that exist.")
    read = {
        n: _parse(f.type, environment[f"WATTKEEPER_{n.upper()}"], n)
        for n, f in known.items()
        if f"WATTKEEPER_{n.upper()}" in environment
    }
    return Settings(**{**read, **{k: v for k, v in given.items() if v is not None}})  # type: ignore[arg-type]


def documented() -> str:
    """The page `docs/settings.md`: every setting with its default and why."""
    rows = [
        f"| `WATTKEEPER_{f.name.upper()}` | {_default(f.default)} | {f.metadata['why']} |" for f in fields(Settings)
    ]
    heading = "# Settings\n\nRead from the environment when a command starts. All have defaults.\n\n"
    return heading + "\n".join(["| setting | default | why |", "|---|---|---|", *rows, ""])


def _default(value: object) -> str:
    """A default as the page shows it."""
    return "" if value == "" else f"`{str(value).lower() if isinstance(value, bool) else value}`"
