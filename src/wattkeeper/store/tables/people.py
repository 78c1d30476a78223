"""People: accounts, how they prove themselves, what they let in, and what they are told."""

from __future__ import annotations

from sqlalchemy import Boolean, Index, Integer, Table

from wattkeeper.store.columns import Area, BigInteger, Instant, LargeBinary, Recipient, Text, kept
from wattkeeper.store.tables.ground import ACCOUNT, DAYS_30, DAYS_90, HOUSE, C, L, about, metadata

MAIL_AND_APPS = (Recipient.MAIL, Recipient.APPS)

person = Table(
    "person",
    metadata,
    kept("id", Text, "a person, without a name", C, ACCOUNT, primary_key=True),
    kept(
        "sealed", LargeBinary, "name and contact, sealed under the person's key", C, ACCOUNT, nullable=True, under="id"
    ),
    kept("created_at", Instant, "when first known", C, ACCOUNT),
    info=about(Area.ACCOUNT, Recipient.APPS),
)

subject_key = Table(
    "subject_key",
    metadata,
    kept("subject", Text, "a person's id, or 'installation'", C, ACCOUNT, primary_key=True),
    kept("wrapped", LargeBinary, "its key, wrapped by the key above it", C, ACCOUNT),
    kept("created_at", Instant, "when made", C, ACCOUNT),
    info=about(Area.ACCOUNT, Recipient.KEYS),
)

account = Table(
    "account",
    metadata,
    kept("id", Text, "an account, without a name: what records name as `by`", C, ACCOUNT, primary_key=True),
    kept("person_id", Text, "whose it is", C, ACCOUNT),
    kept("name_ref", Text, "pseudonym of the name or e-mail to sign in with", C, ACCOUNT),
    kept(
        "sealed",
        LargeBinary,
        "that name, sealed under the person's key",
        C,
        ACCOUNT,
        under="person_id",
        to=MAIL_AND_APPS,
    ),
    kept("role", Text, "what it may do", C, ACCOUNT),
    kept("sites", Text, "a site host's sites, JSON", C, ACCOUNT),
    kept("state", Text, "invited, unverified, active or disabled", C, ACCOUNT),
    kept("password_hash", Text, "argon2id; none where there is no password", C, ACCOUNT, nullable=True),
    kept(
        "totp",
        LargeBinary,
        "the secret of the code app, sealed under the person's key",
        C,
        ACCOUNT,
        nullable=True,
        under="person_id",
    ),
    kept("totp_step", BigInteger, "the last step whose code was used: never again", C, ACCOUNT),
    kept("totp_confirmed", Boolean, "whether the code app proved itself", C, ACCOUNT),
    kept("password_short", Boolean, "whether the password is too short to stand alone", C, ACCOUNT),
    kept("failures", Integer, "wrong passwords and codes since more than a password was proved", L, ACCOUNT),
    kept("created_at", Instant, "when made", C, ACCOUNT),
    kept("created_by", Text, "who made it", L, ACCOUNT),
    kept("verified_at", Instant, "when its e-mail address was proved", C, ACCOUNT, nullable=True),
    kept("seen_at", Instant, "last signed in, for finding dormant ones", L, ACCOUNT, nullable=True),
    Index("uq_account_name_ref", "name_ref", unique=True),
    Index("ix_account_person_id", "person_id"),
    info=about(Area.ACCOUNT, Recipient.NOBODY),
)

login = Table(
    "login",
    metadata,
    kept("token_hash", LargeBinary, "SHA-256 of the 256-bit cookie value", C, DAYS_30, primary_key=True),
    kept("id", Text, "its public id, to list and end it", C, DAYS_30),
    kept("account_id", Text, "who signed in", C, DAYS_30),
    kept("half", Boolean, "whether the second factor is still missing: it opens nothing yet", C, DAYS_30),
    kept("how", Text, "passkey, password, password+totp, recovery, mail or oidc", L, DAYS_30),
    kept(
        "device",
        LargeBinary,
        "browser and rough place, sealed under the person's key",
        L,
        DAYS_30,
        nullable=True,
        under="account_id",
    ),
    kept("created_at", Instant, "when", C, DAYS_30),
    kept("proved_at", Instant, "when the person last proved themselves freshly", C, DAYS_30),
    kept("seen_at", Instant, "last used, to the minute", L, DAYS_30),
    kept("expires_at", Instant, "until when", C, DAYS_30),
    Index("uq_login_id", "id", unique=True),
    Index("ix_login_account_id", "account_id"),
    info=about(Area.SIGN_IN, Recipient.NOBODY),
)

passkey = Table(
    "passkey",
    metadata,
    kept("credential_id", LargeBinary, "the id that the authenticator gave it", C, ACCOUNT, primary_key=True),
    kept("id", Text, "its public id, to list and remove it", C, ACCOUNT),
    kept("account_id", Text, "whose", C, ACCOUNT),
    kept("public_key", LargeBinary, "COSE public key", C, ACCOUNT),
    kept("sign_count", BigInteger, "the authenticator's counter; one that went down is refused", C, ACCOUNT),
    kept("transports", Text, "how it is reached, JSON", C, ACCOUNT),
    kept("backed_up", Boolean, "whether it lives in a synchronised store", L, ACCOUNT),
    kept(
        "label",
        LargeBinary,
        "what its owner calls it, sealed under their key",
        C,
        ACCOUNT,
        nullable=True,
        under="account_id",
    ),
    kept("created_at", Instant, "when made", C, ACCOUNT),
    kept("used_at", Instant, "last used", L, ACCOUNT, nullable=True),
    Index("uq_passkey_id", "id", unique=True),
    Index("ix_passkey_account_id", "account_id"),
    info=about(Area.SIGN_IN, Recipient.APPS),
)

recovery_code = Table(
    "recovery_code",
    metadata,
    kept("code_hash", LargeBinary, "HMAC of the code", C, ACCOUNT, primary_key=True),
    kept("account_id", Text, "whose", C, ACCOUNT),
    kept("created_at", Instant, "when made", C, ACCOUNT),
    Index("ix_recovery_code_account_id", "account_id"),
    info=about(Area.SIGN_IN, Recipient.NOBODY),
)

secret_link = Table(
    "secret_link",
    metadata,
    kept("code_hash", LargeBinary, "SHA-256 of the 256-bit code in a link or challenge", C, DAYS_30, primary_key=True),
    kept("purpose", Text, "invite, first_owner, verify, recover, change_mail, passkey, step or oidc", C, DAYS_30),
    kept("account_id", Text, "for whom; none where nobody is known yet", C, DAYS_30, nullable=True),
    kept("sealed", LargeBinary, "what belongs to it, JSON, sealed", C, DAYS_30, nullable=True, under=HOUSE),
    kept("created_at", Instant, "when made", C, DAYS_30),
    kept("expires_at", Instant, "until when it is good, once", C, DAYS_30),
    Index("ix_secret_link_account_id", "account_id", "purpose"),
    info=about(Area.SIGN_IN, Recipient.NOBODY),
)

api_token = Table(
    "api_token",
    metadata,
    kept("id", Text, "its public id", C, ACCOUNT, primary_key=True),
    kept("token_hash", LargeBinary, "SHA-256 of the 256-bit token", C, ACCOUNT, unique=True),
    kept("name", Text, "what it is for", C, ACCOUNT),
    kept("scopes", Text, "what it may do, space-separated", C, ACCOUNT),
    kept("created_at", Instant, "when made", C, ACCOUNT),
    kept("expires_at", Instant, "until when", C, ACCOUNT, nullable=True),
    kept("last_used_at", Instant, "when last used, to the minute", L, ACCOUNT, nullable=True),
    info=about(Area.ACCOUNT, Recipient.NOBODY),
)

app_client = Table(
    "app_client",
    metadata,
    kept("id", Text, "OAuth client id", L, ACCOUNT, primary_key=True),
    kept("name", Text, "what people read when asked to let it in", L, ACCOUNT),
    kept("redirects", Text, "exact redirect addresses, JSON", L, ACCOUNT),
    kept("secret_hash", LargeBinary, "SHA-256 of a confidential client's secret", L, ACCOUNT, nullable=True),
    kept("created_at", Instant, "when registered", L, ACCOUNT),
    kept("created_by", Text, "who registered it", L, ACCOUNT),
    info=about(Area.ACCOUNT, Recipient.NOBODY),
)

app_code = Table(
    "app_code",
    metadata,
    kept("code_hash", LargeBinary, "SHA-256 of the authorization code", C, DAYS_30, primary_key=True),
    kept("client_id", Text, "for which app", C, DAYS_30),
    kept("account_id", Text, "whose consent", C, DAYS_30),
    kept("grant_id", Text, "the grant it became, once used: a second use ends that", C, DAYS_30, nullable=True),
    kept("redirect", Text, "where it was sent", C, DAYS_30),
    kept("challenge", Text, "PKCE S256 challenge", C, DAYS_30),
    kept("scopes", Text, "what was consented to, space-separated", C, DAYS_30),
    kept("expires_at", Instant, "a minute after it was made", C, DAYS_30),
    info=about(Area.SIGN_IN, Recipient.NOBODY),
)

app_grant = Table(
    "app_grant",
    metadata,
    kept("id", Text, "one app let into one account", C, ACCOUNT, primary_key=True),
    kept("client_id", Text, "which app", C, ACCOUNT),
    kept("account_id", Text, "into whose account", C, ACCOUNT),
    kept("scopes", Text, "what it may do, space-separated", C, ACCOUNT),
    kept("created_at", Instant, "when let in", C, ACCOUNT),
    kept("used_at", Instant, "when last used, to the minute", L, ACCOUNT, nullable=True),
    kept("ended_at", Instant, "when ended", C, ACCOUNT, nullable=True),
    kept("ended_why", Text, "by its owner, or because a token was used twice", C, ACCOUNT, nullable=True),
    Index("ix_app_grant_account_id", "account_id"),
    info=about(Area.ACCOUNT, Recipient.APPS),
)

app_token = Table(
    "app_token",
    metadata,
    kept("token_hash", LargeBinary, "SHA-256 of the 256-bit token", C, DAYS_90, primary_key=True),
    kept("grant_id", Text, "of which grant", C, DAYS_90),
    kept("kind", Text, "access or refresh", C, DAYS_90),
    kept("created_at", Instant, "when made", C, DAYS_90),
    kept("expires_at", Instant, "until when", C, DAYS_90),
    kept("used_at", Instant, "when a refresh token was used: a second use ends the grant", C, DAYS_90, nullable=True),
    Index("ix_app_token_grant_id", "grant_id"),
    info=about(Area.ACCOUNT, Recipient.NOBODY),
)

identity = Table(
    "identity",
    metadata,
    kept("issuer", Text, "a company's own sign-in (OIDC issuer)", C, ACCOUNT, primary_key=True),
    kept("subject_ref", Text, "pseudonym of the subject there", C, ACCOUNT, primary_key=True),
    kept("account_id", Text, "whose account that is here", C, ACCOUNT),
    kept("created_at", Instant, "when first used", C, ACCOUNT),
    Index("ix_identity_account_id", "account_id"),
    info=about(Area.SIGN_IN, Recipient.NOBODY),
)

mail = Table(
    "mail",
    metadata,
    kept("id", Text, "one message", C, DAYS_30, primary_key=True),
    kept("person_id", Text, "to whom", C, DAYS_30),
    kept("kind", Text, "what it is about", C, DAYS_30),
    kept(
        "sealed",
        LargeBinary,
        "address, subject and text, JSON, sealed under the person's key",
        C,
        DAYS_30,
        under="person_id",
    ),
    kept("state", Text, "queued, sent or failed", C, DAYS_30),
    kept("tries", Integer, "how often it was tried", C, DAYS_30),
    kept("why", Text, "why it failed", C, DAYS_30, nullable=True),
    kept("created_at", Instant, "when written", C, DAYS_30),
    kept("next_at", Instant, "when it is tried next", C, DAYS_30),
    kept("sent_at", Instant, "when handed over", C, DAYS_30, nullable=True),
    Index("ix_mail_state", "state", "next_at"),
    info=about(Area.LETTERS, Recipient.MAIL),
)

notice = Table(
    "notice",
    metadata,
    kept("id", Text, "something the person should know", C, DAYS_90, primary_key=True),
    kept("person_id", Text, "who", C, DAYS_90),
    kept("kind", Text, "what it is about", C, DAYS_90),
    kept("sealed", LargeBinary, "the words, JSON, sealed under the person's key", C, DAYS_90, under="person_id"),
    kept("created_at", Instant, "when", C, DAYS_90),
    kept("read_at", Instant, "when seen", C, DAYS_90, nullable=True),
    Index("ix_notice_person_id", "person_id", "created_at"),
    info=about(Area.LETTERS, Recipient.MAIL, Recipient.APPS),
)
