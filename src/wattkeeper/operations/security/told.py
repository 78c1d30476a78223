"""Findings of the security audit in words: what is wrong, why it matters, what settles it, where, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from wattkeeper.charging.person import STAFF, Role
from wattkeeper.charging.phrase import Phrase, Said, counted, phrase, plural
from wattkeeper.operations.security.finding import FindingCode as Code
from wattkeeper.store.security.finding import FindingRow

CHECKS: Mapping[str, Phrase] = {
    "doors": phrase("Doors, TLS and certificates"),
    "stations": phrase("Stations and their keys"),
    "keys": phrase("Keys of the vault"),
    "people": phrase("Accounts of those who work here"),
    "programs": phrase("Programs and apps"),
    "privacy": phrase("Privacy: requests, looks, retention, purposes"),
    "backups": phrase("Backups"),
    "log": phrase("The log and its witness"),
    "packages": phrase("Dependencies with known holes"),
    "profile": phrase("What a production profile asks for"),
}
"""Every check, in words."""
ACT = phrase("See it there")


@dataclass(frozen=True, slots=True)
class Told:
    """A code in words; the gaps are filled with the figures and ``subject``."""

    what: Phrase
    do: Phrase
    owner: Role
    """Whose it is to settle."""
    path: str = ""
    """The page where that is done; ``{subject}`` in it is filled. Empty: it is done elsewhere, as the words say."""
    act: Phrase = ACT


O, P, A = Role.OWNER, Role.PRIVACY_OFFICER, Role.OPERATOR  # noqa: E741 - who it is, in a table of them
PERSON, STATION, REQUESTS = "/people/{subject}", "/stations/{subject}", "/requests/{subject}"

TOLD: Mapping[Code, Told] = {
    Code.DOOR_PLAIN: Told(
        phrase("The door for {subject} is open to others and speaks in clear"),
        phrase(
            "Set tls_certificate and tls_key, or put a proxy that speaks TLS before it and let it listen here only."
        ),
        O,
    ),
    Code.CERTIFICATE_UNREADABLE: Told(
        phrase("The certificate {subject} cannot be read"),
        phrase("Set tls_certificate to a PEM file that this program may read."),
        O,
    ),
    Code.CERTIFICATE_EXPIRED: Told(
        phrase("The certificate {subject} has expired"), phrase("Put a new one in its place now."), O
    ),
    Code.CERTIFICATE_EXPIRES: Told(
        plural("The certificate {subject} expires in a day", "The certificate {subject} expires in {count} days"),
        phrase("Put a new one in its place before that; stations do not connect to one that has expired."),
        O,
    ),
    Code.CERTIFICATE_WEAK: Told(
        phrase("The certificate {subject} is weak: {bits} bits, or signed by SHA-1"),
        phrase("Have one made with an RSA key of 2048 bits or P-256, signed by SHA-256."),
        O,
    ),
    Code.CERTIFICATE_STALE: Told(
        phrase("The door for {subject} shows another certificate than its file"),
        phrase("The file was changed and the door has not taken it up, or another program listens there."),
        O,
    ),
    Code.CERTIFICATE_KEY_READABLE: Told(
        phrase("Others on this machine may read the key of {subject} (mode {mode})"),
        phrase("Give it mode 0600; where others had an account here meanwhile, have a new one made."),
        O,
    ),
    Code.PROTOCOL_OLD: Told(
        phrase("The door for {subject} takes TLS 1.0 or 1.1"),
        phrase("What listens there is not Wattkeeper's own door: raise its least version to TLS 1.2."),
        O,
    ),
    Code.STATION_KEY_OLD: Told(
        phrase("The station {subject} has had the same key for {days} days"),
        phrase("Give it another key on its page, and set it in the station."),
        A,
        STATION,
        phrase("Give it another key"),
    ),
    Code.STATION_KEY_SHARED: Told(
        phrase("Identity and key of the station {subject} were used twice at once"),
        phrase("Somebody else knows its key, or two stations have it. Give it another one."),
        A,
        STATION,
        phrase("Give it another key"),
    ),
    Code.STATION_GUESSED: Told(
        plural(
            "A wrong key came for the station {subject}", "{count} wrong keys came for the station {subject} in a month"
        ),
        phrase("Where the station itself has a wrong key, set it anew; else somebody guesses, and is made to wait."),
        A,
        "/security?days=30&case=key_wrong&subject={subject}",
        phrase("See when"),
    ),
    Code.KEY_OVERDUE: Told(
        plural("The key {subject} of the vault is a day old", "The key {subject} of the vault is {count} days old"),
        phrase("Replace it: wattkeeper keys rotate {subject}. It can be stopped and goes on where it was."),
        O,
    ),
    Code.ROOT_READABLE: Told(
        phrase("Others on this machine may read the root key {subject} (mode {mode})"),
        phrase("Give it mode 0600. Where others had an account here meanwhile, rotate the root key."),
        O,
    ),
    Code.ROOT_MISSING: Told(
        phrase("The root key file {subject} is not there"),
        phrase("Restore it from the backup of keys before anything is restarted: without it nothing opens."),
        O,
    ),
    Code.ACCOUNT_DORMANT: Told(
        phrase("{subject} has not signed in for {days} days"),
        phrase("Ask whether they still work here; whoever does not is not let in any more."),
        O,
        PERSON,
    ),
    Code.NO_SECOND_FACTOR: Told(
        phrase("{subject} signs in by a password alone"),
        phrase("Ask them to add a passkey; with the setting staff_passkeys nobody works here without one."),
        O,
        PERSON,
    ),
    Code.NO_PASSKEY: Told(
        phrase("{subject} has no passkey"),
        phrase("A password and a code can be asked for by a false page, a passkey cannot. Ask them to add one."),
        O,
        PERSON,
    ),
    Code.OWNER_MISSING: Told(
        phrase("Nobody is owner"),
        phrase("Make one at the command line: wattkeeper owner create"),
        O,
    ),
    Code.OWNER_ALONE: Told(
        phrase("There is one owner only"),
        phrase("Who loses their passkey, or leaves, locks everybody out. Make a second person owner."),
        O,
        "/people",
        phrase("Go to People"),
    ),
    Code.OWNERS_MANY: Told(
        phrase("{count} people are owners"),
        phrase("Owners may do everything. Give those who need less another role."),
        O,
        "/people",
        phrase("Go to People"),
    ),
    Code.ACCOUNT_GUESSED: Told(
        plural(
            "Somebody guessed at the account of {subject} this week",
            "Somebody guessed at the account of {subject} this week, {count} times",
        ),
        phrase("Ask them whether it was them. If not: a passkey, another password, and their sign-ins ended."),
        O,
        PERSON,
    ),
    Code.ACCOUNT_STEPPED_UP: Told(
        phrase("The password of {subject} was guessed at {count} times and opens nothing alone any more"),
        phrase("They get in by a link in a letter. Once they have a passkey it counts anew."),
        O,
        PERSON,
    ),
    Code.DRIVERS_GUESSED: Told(
        plural(
            "Drivers' accounts were guessed at once this week; of these accounts {accounts} now ask for a letter too",
            "Drivers' accounts were guessed at {count} times this week; "
            "of these accounts {accounts} now ask for a letter too",
        ),
        phrase("Nothing is to be done: guessers wait, owners do not. The events show whether it goes on."),
        O,
        "/security?case=passwords_guessed",
        phrase("See when"),
    ),
    Code.ROLE_WIDE: Told(
        phrase(
            "{subject} has the role {role}, and on {days} days used nothing that the role {enough} does not allow too"
        ),
        phrase("Give them the narrower role, or accept this with the reason why they need the wider one."),
        O,
        PERSON,
        phrase("Change their role"),
    ),
    Code.TOKEN_DORMANT: Told(
        phrase("The program {subject} has not come for {days} days"),
        phrase("Revoke its token; a new one is made in a minute."),
        O,
        "/programs",
        phrase("Revoke it"),
    ),
    Code.TOKEN_ENDLESS: Told(
        phrase("The token of the program {subject} never ends"),
        phrase("Give the program one that ends, and revoke this one."),
        O,
        "/programs",
        phrase("Go to Programs"),
    ),
    Code.TOKEN_WIDE: Told(
        phrase("The program {subject} may do everything that a program can be given"),
        phrase("Give it a token for what it needs, and revoke this one."),
        O,
        "/programs",
        phrase("Go to Programs"),
    ),
    Code.APP_UNUSED: Told(
        phrase("Of {all} people who let the app {subject} in, {count} have not used it for 90 days"),
        phrase("Each of them can end it under Me. An app that nobody uses any more is removed through the API."),
        O,
    ),
    Code.REQUEST_OVERDUE: Told(
        plural(
            "A request about personal data ({subject}) is a day over its deadline",
            "A request about personal data ({subject}) is {count} days over its deadline",
        ),
        phrase("Answer it today; Article 12 gives a month, and two more only where the person was told why."),
        P,
        REQUESTS,
        phrase("Answer it"),
    ),
    Code.REQUEST_WAITS: Told(
        plural(
            "A request about personal data ({subject}) must be answered within a day",
            "A request about personal data ({subject}) must be answered within {count} days",
        ),
        phrase("Answer it, or tell the person why it takes longer."),
        P,
        REQUESTS,
        phrase("Answer it"),
    ),
    Code.GLASS_UNREVIEWED: Told(
        plural(
            "Somebody broke the glass to see a person's data a day ago, and nobody has reviewed it",
            "Somebody broke the glass to see a person's data {count} days ago, and nobody has reviewed it",
        ),
        phrase("A second person reads the reason and says whether it was right."),
        P,
        "/persons",
        phrase("Review it"),
    ),
    Code.RETENTION_OVERDUE: Told(
        plural("Kept a day too long: {subject} (rows: {rows})", "Kept {count} days too long: {subject} (rows: {rows})"),
        phrase("The nightly deletion has not run, or failed; its log says why. It deletes them once it runs."),
        P,
    ),
    Code.COLUMN_UNEXPLAINED: Told(
        phrase("Nobody says why the column {subject} is kept"),
        phrase("Give it a purpose, a basis and a period in the tables, or drop it from the database."),
        P,
    ),
    Code.BACKUP_MISSING: Told(phrase("There is no backup"), phrase("Make one: wattkeeper backup DIR"), O),
    Code.BACKUP_OLD: Told(
        phrase("The newest backup is {days} days old"), phrase("Make one, every night: wattkeeper backup DIR"), O
    ),
    Code.RESTORE_UNTESTED: Told(
        plural(
            "For a day nobody has restored a backup to see that it comes back",
            "For {count} days nobody has restored a backup to see that it comes back",
        ),
        phrase("Try it, in a database of its own: wattkeeper backup check DIR"),
        O,
    ),
    Code.LOG_BROKEN: Told(
        plural(
            "A row is not what was logged: {first}", "{count} rows are not what was logged, the first of them {first}"
        ),
        phrase("Somebody changed the database behind the log. See which: wattkeeper audit log; compare with a backup."),
        O,
    ),
    Code.CHECKPOINT_OLD: Told(
        phrase("What the log has had for {minutes} minutes is not signed yet"),
        phrase("It is signed each minute while the installation runs; its own log says what keeps it from that."),
        O,
    ),
    Code.LOG_UNWITNESSED: Told(
        phrase("No witness keeps checkpoints of the log"),
        phrase("Let somebody else run one: wattkeeper witness. Without it a fork or a cut tail is found by nobody."),
        O,
    ),
    Code.WITNESS_SILENT: Told(
        phrase("The witness {subject} has not signed for {minutes} minutes"),
        phrase("Ask whoever runs it."),
        O,
    ),
    Code.WITNESS_DISAGREES: Told(
        phrase("A witness has seen another log than this one"),
        phrase("Stop, keep both, and find out which is true: the database was restored to an older state, or forged."),
        O,
        "/security?case=witness_refused",
        phrase("See when"),
    ),
    Code.PACKAGE_VULNERABLE: Told(
        phrase("{subject} {version} has known holes: {advisories}"),
        phrase("Install {fixed} or newer, and restart."),
        O,
    ),
    Code.PROFILE_COMPLAINT: Told(
        plural("1 thing keeps it from being run as production", "{count} things keep it from being run as production"),
        phrase("wattkeeper check says what, and what to do."),
        O,
    ),
}
"""Every code in words."""

NAMED: Mapping[str, Phrase] = {role.value: words for role, words in STAFF.items()}
"""Roles by the names that figures call them by."""
DOORS: Mapping[str, Phrase] = {"stations": phrase("stations"), "people": phrase("people")}
SEVERITIES: Mapping[str, Phrase] = {"high": phrase("Today"), "medium": phrase("Soon"), "low": phrase("When you can")}
"""How soon something needs a person."""
ITSELF = "by itself"
RAN_BY: Mapping[str, Phrase] = {ITSELF: phrase("the installation itself"), "command line": phrase("the command line")}
"""Who ran the audit or accepted something, where that is nobody in particular."""
UNKNOWN = phrase("Something that this version does not know ({code})")


def what_of(row: FindingRow, label: str = "") -> Phrase:
    """What is wrong, in words; ``label`` is what its subject is called, where whoever reads may know it."""
    told = _told(row)
    if told is None:
        return UNKNOWN.filled(code=row.code)
    subject = DOORS.get(row.subject, label or row.subject) if row.code.startswith("doors.") else label or row.subject
    figures = {name: NAMED.get(str(value), value) for name, value in row.figures.items()}
    return told.what.filled(subject=subject, **figures)


def do_of(row: FindingRow) -> Phrase:
    """What settles it, in words."""
    told = _told(row)
    return told.do.filled(subject=row.subject, **row.figures) if told else phrase("Run the newer version again.")


def owner_of(row: FindingRow) -> Phrase:
    """Whose it is to settle."""
    told = _told(row)
    return STAFF[told.owner if told else Role.OWNER]


def act_of(row: FindingRow) -> tuple[str, Phrase]:
    """The page that settles it, and what going there is called; empty where there is none."""
    told = _told(row)
    path = told.path.replace("{subject}", quote(row.subject, safe="")) if told else ""
    return path, told.act if told else ACT


def _told(row: FindingRow) -> Told | None:
    """Its words; None for a code of another version."""
    return TOLD[Code(row.code)] if row.code in set(Code) else None


def answer_of(standing: Sequence[FindingRow], now: datetime) -> Said:
    """How many things need a person, and how many of them today."""
    open_ones = [row for row in standing if not row.is_accepted(now)]
    today = sum(row.severity == "high" for row in open_ones)
    if not open_ones:
        return phrase("Nothing needs you")
    if not today:
        return counted(
            "1 thing needs you, but not today", "{count} things need you, none of them today", len(open_ones)
        )
    return counted(
        "1 thing needs you today", "{count} things need you, {today} of them today", len(open_ones), today=today
    )
