"""Who looks and acts: roles, scopes, and the viewer that every query takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import Phrase, phrase


class Scope(StrEnum):
    """What an API token, an app or a role may do; `IN_WORDS` says it for people."""

    STATIONS_READ = "stations:read"
    STATIONS_WRITE = "stations:write"
    SESSIONS_READ = "sessions:read"
    SESSIONS_WRITE = "sessions:write"
    CARDS_READ = "cards:read"
    CARDS_WRITE = "cards:write"
    GROUPS_WRITE = "groups:write"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    FINDINGS_READ = "findings:read"
    FINDINGS_WRITE = "findings:write"
    TARIFFS_READ = "tariffs:read"
    TARIFFS_WRITE = "tariffs:write"
    BILLS_READ = "bills:read"
    BILLS_WRITE = "bills:write"
    PERSONS_READ = "persons:read"
    PERSONS_EMERGENCY = "persons:emergency"
    PRIVACY_READ = "privacy:read"
    PRIVACY_WRITE = "privacy:write"
    STAFF_READ = "staff:read"
    STAFF_WRITE = "staff:write"
    TOKENS_READ = "tokens:read"
    TOKENS_WRITE = "tokens:write"
    SECURITY_READ = "security:read"
    SECURITY_WRITE = "security:write"
    CHARGING_START = "charging:start"
    CARDS_HOLD = "cards:hold"
    PAYMENTS_HOLD = "payments:hold"
    ACCOUNT_READ = "account:read"
    ACCOUNT_WRITE = "account:write"


IN_WORDS: Mapping[Scope, str] = {
    Scope.STATIONS_READ: phrase("See stations, connectors and the waiting room"),
    Scope.STATIONS_WRITE: phrase("Admit, name and remove stations"),
    Scope.SESSIONS_READ: phrase("See charging sessions: when, where, how much energy and what it cost"),
    Scope.SESSIONS_WRITE: phrase("Close a session that a station left open"),
    Scope.CARDS_READ: phrase("See charging cards, never their numbers"),
    Scope.CARDS_WRITE: phrase("Enrol, change and block cards"),
    Scope.GROUPS_WRITE: phrase("Make groups of cards, and passes that may stop any session"),
    Scope.ORDERS_READ: phrase("See what stations were asked to do"),
    Scope.ORDERS_WRITE: phrase("Ask stations to do something, any command included"),
    Scope.FINDINGS_READ: phrase("See what is suspicious about cards"),
    Scope.FINDINGS_WRITE: phrase("Settle what is suspicious about cards"),
    Scope.TARIFFS_READ: phrase("See prices"),
    Scope.TARIFFS_WRITE: phrase("Set prices"),
    Scope.BILLS_READ: phrase("See bills, what waits to be billed, and who owes what"),
    Scope.BILLS_WRITE: phrase("Accept, correct and waive what is to be billed"),
    Scope.PERSONS_READ: phrase("See the names and addresses of drivers, one by one, with a purpose and a reason"),
    Scope.PERSONS_EMERGENCY: phrase("Open one driver's data in an emergency, which alerts owners and is reviewed"),
    Scope.PRIVACY_READ: phrase("See what people asked about their data, what became of it, and breaches"),
    Scope.PRIVACY_WRITE: phrase("Answer what people ask about their data: hand it out, correct, restrict and erase it"),
    Scope.STAFF_READ: phrase("See who works here and what they may do"),
    Scope.STAFF_WRITE: phrase("Invite people, change what they may do, end their sign-ins"),
    Scope.TOKENS_READ: phrase("See which programs have access"),
    Scope.TOKENS_WRITE: phrase("Give programs access, and end it"),
    Scope.SECURITY_READ: phrase("See attacks, and what the security audit found"),
    Scope.SECURITY_WRITE: phrase("Run the security audit, and accept what it found, with a reason"),
    Scope.CHARGING_START: phrase("Start and stop charging for you"),
    Scope.CARDS_HOLD: phrase("Add, name and block your charging cards"),
    Scope.PAYMENTS_HOLD: phrase("Choose how you pay, top up, and leave a bank card with the payment provider"),
    Scope.ACCOUNT_READ: phrase("See your name, e-mail address and how you sign in"),
    Scope.ACCOUNT_WRITE: phrase("Change your account and how you sign in"),
}
"""Each scope in words a person understands."""


class Role(StrEnum):
    """What somebody is here; what each may do stands in operations/policy.cedar."""

    OWNER = "owner"
    OPERATOR = "operator"
    SUPPORT = "support"
    BILLING = "billing"
    PRIVACY_OFFICER = "privacy_officer"
    AUDITOR = "auditor"
    """Reads everything but persons."""
    SITE_HOST = "site_host"
    """Sees the own sites only."""
    DRIVER = "driver"
    SERVICE = "service"
    """A program that holds an API token."""

    @property
    def is_staff(self) -> bool:
        """Whether a person of this role works here."""
        return self not in (Role.DRIVER, Role.SERVICE)


STAFF: Mapping[Role, Phrase] = {
    Role.OWNER: phrase("Owner"),
    Role.OPERATOR: phrase("Operator"),
    Role.SUPPORT: phrase("Support"),
    Role.BILLING: phrase("Billing"),
    Role.PRIVACY_OFFICER: phrase("Privacy officer"),
    Role.AUDITOR: phrase("Auditor"),
    Role.SITE_HOST: phrase("Site host"),
}
"""The roles of those who work here, in words."""


class Reach(StrEnum):
    """How far a permission goes."""

    ANYWHERE = "anywhere"
    SITES = "sites"
    """Stations of the viewer's own sites, and what happens there, without persons."""
    OWN = "own"
    """What is the viewer's own."""


FRESH = timedelta(minutes=5)
"""How long a proof of who one is counts as fresh."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking. ``name`` is an account's id, a token's name or a door's: it goes into the record as ``by``."""

    name: str
    role: Role
    scopes: frozenset[Scope] = field(default_factory=frozenset)
    """What may be done anywhere."""
    at_sites: frozenset[Scope] = field(default_factory=frozenset)
    """What may be done at ``sites`` only."""
    own: frozenset[Scope] = field(default_factory=frozenset)
    """What may be done with one's own only."""
    sites: frozenset[str] = field(default_factory=frozenset)
    account: str = ""
    """The account's id; empty for programs and the command line."""
    person: str = ""
    """The person's id; what is this person's is the viewer's own."""
    login: str = ""
    """The public id of the sign-in; empty where it is none (programs, apps)."""
    proved_at: datetime | None = None
    """When the person last proved who they are; None where there is no person."""
    noted: Callable[[Scope], None] | None = field(default=None, compare=False, repr=False)
    """Hears which scopes are used, of who works here: what a role is wider than is found by it."""

    def may(self, scope: Scope) -> bool:
        """Whether the viewer may do this anywhere."""
        return scope in self.scopes

    def need(self, scope: Scope) -> None:
        """Raise Refusal (FORBIDDEN) where the viewer may not do this anywhere."""
        if scope not in self.scopes:
            raise _lacks(scope)
        self._note(scope)

    def _note(self, scope: Scope) -> None:
        """A scope is used."""
        if self.noted is not None:
            self.noted(scope)

    def reach(self, scope: Scope) -> Reach:
        """How far the viewer may do this; Refusal FORBIDDEN where nowhere. Whoever asks must keep to the answer."""
        for reach, scopes in ((Reach.ANYWHERE, self.scopes), (Reach.SITES, self.at_sites), (Reach.OWN, self.own)):
            if scope in scopes:
                self._note(scope)
                return reach
        raise _lacks(scope)

    def need_own(self, scope: Scope) -> str:
        """The person whose own this is about; Refusal FORBIDDEN where the viewer is nobody in particular."""
        if not self.person or scope not in self.own:
            raise Refusal(
                Code.FORBIDDEN, phrase("This is for people signed in with the scope {scope}.", scope=scope.value)
            )
        return self.person

    def need_fresh(self, now: datetime) -> None:
        """Raise Refusal (PROOF) where the person has not proved themselves in the last five minutes."""
        if self.proved_at is None or now - self.proved_at > FRESH:
            raise Refusal(
                Code.PROOF, phrase("Please show once more that it is you: this is asked again after five minutes.")
            )


def _lacks(scope: Scope) -> Refusal:
    """What somebody is told who may not do this; the refusal names the ``scope``."""
    why = phrase("This needs the scope {scope}, which you do not have.", scope=scope.value)
    return Refusal(Code.FORBIDDEN, why, scope=scope)


EVERYTHING = frozenset(Scope) - {
    Scope.CHARGING_START,
    Scope.CARDS_HOLD,
    Scope.PAYMENTS_HOLD,
    Scope.ACCOUNT_READ,
    Scope.ACCOUNT_WRITE,
}
"""All that can be done for an installation; the rest is done by a person for themselves."""
PROGRAMS = EVERYTHING - {
    *(Scope.STAFF_WRITE, Scope.TOKENS_WRITE, Scope.PRIVACY_WRITE, Scope.SECURITY_WRITE, Scope.PERSONS_EMERGENCY)
}
"""The most that a program can be given: what the policy gives the role `service`."""
