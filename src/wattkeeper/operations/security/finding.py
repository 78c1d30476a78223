"""What a check of the security audit finds: a code, a subject by its id, how grave it is, and the figures for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How soon something needs a person."""

    HIGH = "high"
    """Today."""
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 is the gravest."""
        return list(Severity).index(self)


class FindingCode(StrEnum):
    """What can be found; what stands before the dot is the check. These names stay as they are, for rows hold them."""

    DOOR_PLAIN = "doors.plain"
    CERTIFICATE_UNREADABLE = "doors.certificate_unreadable"
    CERTIFICATE_EXPIRED = "doors.certificate_expired"
    CERTIFICATE_EXPIRES = "doors.certificate_expires"
    CERTIFICATE_WEAK = "doors.certificate_weak"
    CERTIFICATE_STALE = "doors.certificate_stale"
    CERTIFICATE_KEY_READABLE = "doors.key_readable"
    PROTOCOL_OLD = "doors.protocol_old"
    STATION_KEY_OLD = "stations.key_old"
    STATION_KEY_SHARED = "stations.key_shared"
    STATION_GUESSED = "stations.guessed"
    KEY_OVERDUE = "keys.overdue"
    ROOT_READABLE = "keys.root_readable"
    ROOT_MISSING = "keys.root_missing"
    ACCOUNT_DORMANT = "people.dormant"
    NO_SECOND_FACTOR = "people.no_second_factor"
    NO_PASSKEY = "people.no_passkey"
    OWNER_MISSING = "people.owner_missing"
    OWNER_ALONE = "people.owner_alone"
    OWNERS_MANY = "people.owners_many"
    ACCOUNT_GUESSED = "people.guessed"
    ACCOUNT_STEPPED_UP = "people.stepped_up"
    ROLE_WIDE = "people.role_wide"
    DRIVERS_GUESSED = "people.drivers_guessed"
    TOKEN_DORMANT = "programs.dormant"
    TOKEN_ENDLESS = "programs.endless"
    TOKEN_WIDE = "programs.wide"
    APP_UNUSED = "programs.app_unused"
    REQUEST_OVERDUE = "privacy.request_overdue"
    REQUEST_WAITS = "privacy.request_waits"
    GLASS_UNREVIEWED = "privacy.glass_unreviewed"
    RETENTION_OVERDUE = "privacy.retention_overdue"
    COLUMN_UNEXPLAINED = "privacy.column_unexplained"
    BACKUP_MISSING = "backups.missing"
    BACKUP_OLD = "backups.old"
    RESTORE_UNTESTED = "backups.untested"
    LOG_BROKEN = "log.broken"
    CHECKPOINT_OLD = "log.checkpoint_old"
    LOG_UNWITNESSED = "log.unwitnessed"
    WITNESS_SILENT = "log.witness_silent"
    WITNESS_DISAGREES = "log.witness_disagrees"
    PACKAGE_VULNERABLE = "packages.vulnerable"
    PROFILE_COMPLAINT = "profile.complaint"

    @property
    def check(self) -> str:
        """The check that finds it."""
        return self.value.partition(".")[0]


Figures = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be."""

    code: FindingCode
    subject: str
    """The id of an account, a station, a token; the name of a file, a table or a package; empty: the installation."""
    severity: Severity
    figures: Figures = field(default_factory=dict)
    """What was measured, by the names that the words have gaps for; no names of people."""

    @property
    def key(self) -> tuple[str, str]:
        """What it is known again by."""
        return self.code.value, self.subject


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one check: how many things it looked at and what it found, or why it could not."""

    looked: int
    found: tuple[Finding, ...] = ()
    unchecked: str = ""
    """Why something was not checked, in words; empty where everything was."""
    skipped: frozenset[FindingCode] = frozenset()
    """What could not be found because of that: what was found of it before stands."""
