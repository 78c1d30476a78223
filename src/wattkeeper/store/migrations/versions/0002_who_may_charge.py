"""Who may charge, and who may look: the life of cards, accounts with every way to prove oneself, apps, findings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the new tables, widen cards and stations, and set accounts aside for their names to be sealed."""
    _make()
    _set_accounts_aside()
    _widen()


def _set_accounts_aside() -> None:
    """Accounts get sealed names, which needs the keys: the first start adopts them. Who was signed in signs in anew."""
    accounts = op.get_bind().execute(sa.text("SELECT count(*) FROM account")).scalar()
    if accounts:
        op.rename_table("account", "account_before")
        if op.get_bind().dialect.name == "postgresql":
            op.execute("ALTER TABLE account_before RENAME CONSTRAINT pk_account TO pk_account_before")
    else:
        op.drop_table("account")
    op.drop_table("login")
    _make_accounts()


def _make_accounts() -> None:
    """Accounts and sign-ins as they are now."""
    op.create_table(
        "account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("name_ref", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("sites", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("totp", sa.LargeBinary(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        sa.Column("totp_confirmed", sa.Boolean(), nullable=False),
        sa.Column("password_short", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("verified_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
    )
    op.create_index("ix_account_person_id", "account", ["person_id"], unique=False)
    op.create_index("uq_account_name_ref", "account", ["name_ref"], unique=True)
    op.create_table(
        "login",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("half", sa.Boolean(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("device", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("proved_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_login")),
    )
    op.create_index("uq_login_id", "login", ["id"], unique=True)
    op.create_index("ix_login_account_id", "login", ["account_id"], unique=False)


def _widen() -> None:
    """New columns of cards and stations; each card begins to be held by whom it was enrolled for."""
    with op.batch_alter_table("card") as card:
        card.add_column(sa.Column("kind", sa.Text(), nullable=False, server_default="card"))
        card.add_column(sa.Column("strength", sa.Text(), nullable=False, server_default="number"))
        card.add_column(sa.Column("offline", sa.Text(), nullable=False, server_default="refuse"))
        card.add_column(sa.Column("limits", sa.Text(), nullable=True))
        card.add_column(sa.Column("station_id", sa.Text(), nullable=True))
        card.add_column(sa.Column("evse", sa.Integer(), nullable=True))
        card.add_column(sa.Column("label", sa.LargeBinary(), nullable=True))
        card.add_column(sa.Column("activation", sa.LargeBinary(), nullable=True))
        card.add_column(sa.Column("replaced_by", sa.Text(), nullable=True))
        card.add_column(sa.Column("changed_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("ix_card_person_id", "card", ["person_id"])
    op.create_index("ix_card_changed_at", "card", ["changed_at", "ref"])
    op.create_index("uq_card_activation", "card", ["activation"], unique=True)
    op.execute("UPDATE card SET changed_at = created_at")
    op.execute(
        "INSERT INTO holding (id, ref, person_id, since) SELECT 'h:' || ref, ref, person_id, created_at FROM card"
    )
    op.execute(
        "INSERT INTO card_group (name, is_master_pass, created_at, created_by) "
        "SELECT grouping, false, min(created_at), 'cards that named it' FROM card "
        "WHERE grouping IS NOT NULL GROUP BY grouping"
    )
    with op.batch_alter_table("station") as station:
        station.add_column(sa.Column("address", sa.Text(), nullable=False, server_default=""))
        station.add_column(sa.Column("latitude", sa.BigInteger(), nullable=True))
        station.add_column(sa.Column("longitude", sa.BigInteger(), nullable=True))
        station.add_column(sa.Column("plugs", sa.Text(), nullable=True))
        station.add_column(sa.Column("mark", sa.Text(), nullable=True))
        station.add_column(sa.Column("is_listed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("uq_station_mark", "station", ["mark"], unique=True)


def _make() -> None:
    """The new tables."""
    op.create_table(
        "app_client",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("redirects", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_client")),
    )
    op.create_table(
        "app_code",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=True),
        sa.Column("redirect", sa.Text(), nullable=False),
        sa.Column("challenge", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_app_code")),
    )
    op.create_table(
        "app_grant",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_grant")),
    )
    op.create_index("ix_app_grant_account_id", "app_grant", ["account_id"], unique=False)

    op.create_table(
        "app_token",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_app_token")),
    )
    op.create_index("ix_app_token_grant_id", "app_token", ["grant_id"], unique=False)

    op.create_table(
        "card_change",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_change")),
    )
    op.create_index("ix_card_change_ref", "card_change", ["ref", "at"], unique=False)

    op.create_table(
        "card_group",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("is_master_pass", sa.Boolean(), nullable=False),
        sa.Column("limits", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_card_group")),
    )
    op.create_index("uq_card_group_parent_id", "card_group", ["parent_id"], unique=True)
    op.create_table(
        "decision",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("evse", sa.Integer(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_decision")),
    )
    op.create_index("ix_decision_station_id", "decision", ["station_id", "n"], unique=False)
    op.create_index("ix_decision_token", "decision", ["token", "n"], unique=False)

    op.create_table(
        "enrolment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("label", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
    )
    op.create_index("ix_enrolment_person_id", "enrolment", ["person_id"], unique=False)
    op.create_index(
        "uq_enrolment_station",
        "enrolment",
        ["station_id"],
        unique=True,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )

    op.create_table(
        "finding",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
    )
    op.create_index("ix_finding_state", "finding", ["state", "created_at"], unique=False)
    op.create_index("ix_finding_token", "finding", ["token"], unique=False)

    op.create_table(
        "holding",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holding")),
    )
    op.create_index("ix_holding_person_id", "holding", ["person_id"], unique=False)
    op.create_index("ix_holding_ref", "holding", ["ref"], unique=False)
    op.create_index(
        "uq_holding_now",
        "holding",
        ["ref"],
        unique=True,
        sqlite_where=sa.text("until IS NULL"),
        postgresql_where=sa.text("until IS NULL"),
    )

    op.create_table(
        "identity",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject_ref", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "subject_ref", name=op.f("pk_identity")),
    )
    op.create_index("ix_identity_account_id", "identity", ["account_id"], unique=False)

    op.create_table(
        "list_content",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_content")),
    )
    op.create_table(
        "local_list",
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sending", sa.Integer(), nullable=True),
        sa.Column("sending_content", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("says", sa.Text(), nullable=True),
        sa.Column("delay_ms", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("most_entries", sa.Integer(), nullable=True),
        sa.Column("most_at_once", sa.Integer(), nullable=True),
        sa.Column("has_cache", sa.Boolean(), nullable=True),
        sa.Column("cleared_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("station_id", name=op.f("pk_local_list")),
    )
    op.create_table(
        "mail",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
    )
    op.create_index("ix_mail_state", "mail", ["state", "next_at"], unique=False)

    op.create_table(
        "notice",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index("ix_notice_person_id", "notice", ["person_id", "created_at"], unique=False)

    op.create_table(
        "passkey",
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("transports", sa.Text(), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column("label", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("credential_id", name=op.f("pk_passkey")),
    )
    op.create_index("ix_passkey_account_id", "passkey", ["account_id"], unique=False)
    op.create_index("uq_passkey_id", "passkey", ["id"], unique=True)

    op.create_table(
        "phone_start",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("evse", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_start")),
    )
    op.create_index("ix_phone_start_person_id", "phone_start", ["person_id", "created_at"], unique=False)
    op.create_index("uq_phone_start_ref", "phone_start", ["ref"], unique=True)

    op.create_table(
        "recovery_code",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_code")),
    )
    op.create_index("ix_recovery_code_account_id", "recovery_code", ["account_id"], unique=False)

    op.create_table(
        "secret_link",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_secret_link")),
    )
    op.create_index("ix_secret_link_account_id", "secret_link", ["account_id", "purpose"], unique=False)

    op.create_table(
        "sighting",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token", "station_id", name=op.f("pk_sighting")),
    )
    op.create_table(
        "step_up",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_up")),
    )
    op.create_index("ix_step_up_person_id", "step_up", ["person_id", "answer"], unique=False)
    op.create_index("ix_step_up_created_at", "step_up", ["created_at"], unique=False)
    op.create_index("ix_step_up_token", "step_up", ["token", "station_id"], unique=False)

    op.create_table(
        "tariff",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_tariff")),
    )
