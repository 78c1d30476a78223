"""The policy: what each role must be able to do, and what it must never be able to do whatever else is permitted."""

from __future__ import annotations

import pytest

from wattkeeper.charging.person import EVERYTHING, IN_WORDS, PROGRAMS, Role, Scope
from wattkeeper.operations.policy import READING, TEXT, Grants, grants, grants_of, sentences

ALL = frozenset(Scope)
ACCOUNT = frozenset({Scope.ACCOUNT_READ, Scope.ACCOUNT_WRITE})
OWNED = frozenset({Scope.CHARGING_START, Scope.CARDS_HOLD, Scope.PAYMENTS_HOLD}) | ACCOUNT
"""What a person does for themselves."""
LETTING_IN = frozenset({Scope.STAFF_WRITE, Scope.TOKENS_WRITE, Scope.SECURITY_WRITE})
HOSTS = frozenset({Scope.STATIONS_READ, Scope.SESSIONS_READ})
DRIVERS = frozenset({Scope.SESSIONS_READ, Scope.CARDS_READ, Scope.BILLS_READ})
BILLING = frozenset({Scope.BILLS_WRITE})
RIGHTS = frozenset({Scope.PRIVACY_READ, Scope.PRIVACY_WRITE})
"""What people ask about their data, and the answers."""
NEED = frozenset({Scope.PERSONS_EMERGENCY})
"""Opening a driver without the right, in an emergency."""
NOTHING: frozenset[Scope] = frozenset()

OPERATORS = EVERYTHING - {Scope.PERSONS_READ, Scope.SECURITY_READ, *LETTING_IN, *BILLING, *RIGHTS, *NEED}
SUPPORTS = frozenset(
    {
        *(Scope.STATIONS_READ, Scope.SESSIONS_READ, Scope.SESSIONS_WRITE, Scope.CARDS_READ, Scope.CARDS_WRITE),
        *(Scope.ORDERS_READ, Scope.FINDINGS_READ, Scope.FINDINGS_WRITE, Scope.TARIFFS_READ),
        Scope.BILLS_READ,
        *NEED,
    }
)
BILLINGS = frozenset(
    {
        *(Scope.STATIONS_READ, Scope.SESSIONS_READ, Scope.CARDS_READ, Scope.PERSONS_READ),
        *(Scope.TARIFFS_READ, Scope.TARIFFS_WRITE, Scope.BILLS_READ, Scope.BILLS_WRITE),
    }
)
OFFICERS = frozenset(
    {
        *(Scope.STATIONS_READ, Scope.SESSIONS_READ, Scope.CARDS_READ, Scope.PERSONS_READ),
        *(Scope.STAFF_READ, Scope.TOKENS_READ, Scope.FINDINGS_READ, Scope.SECURITY_READ),
        *RIGHTS,
    }
)
AUDITORS = READING - {Scope.PERSONS_READ, Scope.PRIVACY_READ}

MAY: dict[Role, tuple[frozenset[Scope], frozenset[Scope], frozenset[Scope]]] = {
    Role.OWNER: (EVERYTHING, EVERYTHING, EVERYTHING | ACCOUNT),
    Role.OPERATOR: (OPERATORS, OPERATORS, OPERATORS | ACCOUNT),
    Role.SUPPORT: (SUPPORTS, SUPPORTS, SUPPORTS | ACCOUNT),
    Role.BILLING: (BILLINGS, BILLINGS, BILLINGS | ACCOUNT),
    Role.PRIVACY_OFFICER: (OFFICERS, OFFICERS, OFFICERS | ACCOUNT),
    Role.AUDITOR: (AUDITORS, AUDITORS, AUDITORS | ACCOUNT),
    Role.SITE_HOST: (NOTHING, HOSTS, ACCOUNT),
    Role.DRIVER: (NOTHING, NOTHING, DRIVERS | OWNED),
    Role.SERVICE: (PROGRAMS, PROGRAMS, PROGRAMS),
}
"""What each role may do: anywhere, at its own sites, of its own."""

NEVER: dict[Role, tuple[frozenset[Scope], frozenset[Scope], frozenset[Scope]]] = {
    Role.OWNER: (OWNED, OWNED, OWNED - ACCOUNT),
    Role.OPERATOR: (
        NEED | LETTING_IN | BILLING | RIGHTS | OWNED,
        NEED | LETTING_IN | BILLING | RIGHTS | OWNED,
        NEED | LETTING_IN | BILLING | RIGHTS | OWNED - ACCOUNT,
    ),
    Role.SUPPORT: (
        LETTING_IN | BILLING | RIGHTS | OWNED | {Scope.PERSONS_READ},
        LETTING_IN | BILLING | RIGHTS | OWNED | {Scope.PERSONS_READ},
        LETTING_IN | BILLING | RIGHTS | (OWNED - ACCOUNT) | {Scope.PERSONS_READ},
    ),
    Role.BILLING: (
        NEED | LETTING_IN | RIGHTS | OWNED,
        NEED | LETTING_IN | RIGHTS | OWNED,
        NEED | LETTING_IN | RIGHTS | OWNED - ACCOUNT,
    ),
    Role.PRIVACY_OFFICER: (
        NEED | LETTING_IN | BILLING | OWNED,
        NEED | LETTING_IN | BILLING | OWNED,
        NEED | LETTING_IN | BILLING | OWNED - ACCOUNT,
    ),
    Role.AUDITOR: (
        ALL - AUDITORS,
        ALL - AUDITORS,
        NEED | LETTING_IN | BILLING | RIGHTS | {Scope.PERSONS_READ} | OWNED - ACCOUNT,
    ),
    Role.SITE_HOST: (ALL, ALL - HOSTS, (ALL - HOSTS) - ACCOUNT),
    Role.DRIVER: (ALL, ALL, EVERYTHING - DRIVERS),
    Role.SERVICE: (
        NEED | LETTING_IN | OWNED | {Scope.PRIVACY_WRITE},
        NEED | LETTING_IN | OWNED | {Scope.PRIVACY_WRITE},
        NEED | LETTING_IN | OWNED | {Scope.PRIVACY_WRITE},
    ),
}
"""What each role may never do, even where somebody adds a line that permits everything to everyone."""

CARELESS = TEXT + "\npermit (principal, action, resource);\n"


def parts(given: Grants) -> tuple[frozenset[Scope], frozenset[Scope], frozenset[Scope]]:
    """Anywhere, at its own sites, of its own."""
    return given.anywhere, given.at_sites, given.own


def holds(policy: str) -> bool:
    """Whether a policy gives every role what it must have and nothing else."""
    return all(parts(grants_of(role.value, policy)) == MAY[role] for role in Role)


def forbids(policy: str) -> bool:
    """Whether a policy gives no role what it must never have."""
    given = {role: parts(grants_of(role.value, policy)) for role in Role}
    return not any(got & never for role in Role for got, never in zip(given[role], NEVER[role], strict=True))


@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_what_it_is_for_and_nothing_else(role: Role) -> None:
    assert parts(grants(role)) == MAY[role]


@pytest.mark.parametrize("role", Role)
def test_what_a_role_must_never_do_stays_forbidden_whatever_is_permitted(role: Role) -> None:
    for got, never in zip(parts(grants_of(role.value, CARELESS)), NEVER[role], strict=True):
        assert got & never == NOTHING


def test_the_table_of_what_must_never_be_says_what_the_roles_are_about() -> None:
    writes = EVERYTHING - READING
    assert writes <= NEVER[Role.AUDITOR][0] & NEVER[Role.AUDITOR][1], "an auditor changes nothing"
    for place in range(3):
        host = {Scope.PERSONS_READ, Scope.CARDS_READ, Scope.FINDINGS_READ, Scope.STAFF_READ}
        assert host <= NEVER[Role.SITE_HOST][place], "a site host sees no person"
        assert Scope.PERSONS_READ in NEVER[Role.SUPPORT][place], "support can export nobody"
        for role in set(Role) - {Role.DRIVER}:
            starts = {Scope.CHARGING_START, Scope.CARDS_HOLD, Scope.PAYMENTS_HOLD}
            assert starts <= NEVER[role][place], "staff and programs never charge on somebody's account"
    assert NEVER[Role.SITE_HOST][0] == ALL, "a site host has nothing at other sites"
    assert NEVER[Role.DRIVER][0] == ALL, "a driver has nothing of others"


@pytest.mark.parametrize("role", ["janitor", "", "OWNER", "staff2", 'owner" || true || "'])
def test_a_role_that_nobody_knows_may_do_nothing(role: str) -> None:
    assert parts(grants_of(role, TEXT)) == (NOTHING, NOTHING, NOTHING)


def test_without_a_policy_nobody_may_do_anything() -> None:
    assert all(parts(grants_of(role.value, "")) == (NOTHING, NOTHING, NOTHING) for role in Role)


@pytest.mark.parametrize(
    "broken",
    [
        'permit (principal in Role::"ownr", action, resource);',
        'permit (principal, action == Action::"sessions:reed", resource);',
        "permit (principal, action, resource) when { principal.site == resource.site };",
        "permit (principal",
        "allow everything",
    ],
)
def test_a_policy_that_misspells_anything_is_refused_as_a_whole(broken: str) -> None:
    with pytest.raises(ValueError, match="The policy cannot be read"):
        grants_of("owner", TEXT + broken)


@pytest.mark.parametrize(("said", "statement"), [*sentences()])
def test_every_line_of_the_policy_is_missed_by_these_tests_when_it_is_gone(said: str, statement: str) -> None:
    assert said and statement in TEXT
    without = TEXT.replace(statement, "")
    if statement.partition(")")[2].strip().startswith("forbid"):
        assert not forbids(CARELESS.replace(statement, "")), said
    else:
        assert not holds(without), said
    assert holds(TEXT)
    assert forbids(CARELESS)


def test_every_scope_has_words_for_people() -> None:
    assert set(IN_WORDS) == ALL
