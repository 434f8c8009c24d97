"""Tables of the database `users`."""

import datetime
import uuid
from typing import Any

from sqlalchemy import (
    UUID,
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.models import NAMING, InboxMixin, OutboxMixin

#: A moment, always aware.
Moment = DateTime(timezone=True)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


class OutboxEvent(OutboxMixin, Base):
    pass


class InboxEvent(InboxMixin, Base):
    pass


class User(Base):
    """A person. Of a deleted one only the id, the role and the times are left."""

    __tablename__ = "users"

    id: Mapped[uuid.UUID] = mapped_column(UUID, primary_key=True)
    email: Mapped[str | None] = mapped_column(String(254))
    #: Whether the user has shown to read mails to `email`.
    email_verified: Mapped[bool] = mapped_column(Boolean, server_default=false())
    #: The address that takes the place of `email` when it is confirmed.
    pending_email: Mapped[str | None] = mapped_column(String(254))
    username: Mapped[str | None] = mapped_column(String(32))
    first_name: Mapped[str | None] = mapped_column(String(100))
    last_name: Mapped[str | None] = mapped_column(String(100))
    phone: Mapped[str | None] = mapped_column(String(32))
    password_hash: Mapped[str | None] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime.datetime] = mapped_column(Moment)
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(Moment)

    __table_args__ = (
        CheckConstraint("role IN ('customer', 'staff', 'admin')", name="role"),
        CheckConstraint(
            "deleted_at IS NOT NULL OR (email IS NOT NULL AND password_hash IS NOT NULL)",
            name="can_sign_in",
        ),
        CheckConstraint(
            "deleted_at IS NULL OR num_nonnulls"
            "(email, pending_email, username, first_name, last_name, phone, password_hash) = 0",
            name="deleted_is_anonymous",
        ),
        Index("uq_users_email", func.lower(text("email")), unique=True),
        Index("uq_users_username", func.lower(text("username")), unique=True),
        Index("ix_users_created_at_id", "created_at", "id"),
        Index(
            "ix_users_search",
            text("search_grams(email, username, first_name, last_name, phone)"),
            postgresql_using="gin",
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )


class Address(Base):
    """An entry of a user's address book; one may be the default."""

    __tablename__ = "addresses"

    id: Mapped[uuid.UUID] = mapped_column(UUID, primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    #: The recipient; without one, whoever the address book is of.
    name: Mapped[str | None] = mapped_column(String(200))
    company: Mapped[str | None] = mapped_column(String(200))
    phone: Mapped[str | None] = mapped_column(String(32))
    line1: Mapped[str] = mapped_column(String(200))
    line2: Mapped[str | None] = mapped_column(String(200))
    city: Mapped[str | None] = mapped_column(String(100))
    region: Mapped[str | None] = mapped_column(String(100))
    postal_code: Mapped[str | None] = mapped_column(String(20))
    country: Mapped[str] = mapped_column(String(2))
    is_default: Mapped[bool]
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime.datetime] = mapped_column(Moment)

    __table_args__ = (
        Index("uq_addresses_default", "user_id", unique=True, postgresql_where=text("is_default")),
    )


class LoginSession(Base):
    """One login and the family of refresh tokens that grew from it; deleting it ends them all."""

    __tablename__ = "sessions"

    id: Mapped[uuid.UUID] = mapped_column(UUID, primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime.datetime] = mapped_column(Moment)
    last_used_at: Mapped[datetime.datetime] = mapped_column(Moment, server_default=func.now())
    expires_at: Mapped[datetime.datetime] = mapped_column(Moment, index=True)
    network: Mapped[str | None] = mapped_column(String(64))
    client: Mapped[str | None] = mapped_column(String(48))


class RefreshToken(Base):
    """A refresh token, by its SHA-256 only. A used one knows how to make its successor again
    for whoever still has it (see `users.sessions.refresh_tokens`)."""

    __tablename__ = "refresh_tokens"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("sessions.id", ondelete="CASCADE"), index=True
    )
    expires_at: Mapped[datetime.datetime] = mapped_column(Moment, index=True)
    used_at: Mapped[datetime.datetime | None] = mapped_column(Moment)
    successor_salt: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="sha256"),
        CheckConstraint("(used_at IS NULL) = (successor_salt IS NULL)", name="used_has_successor"),
    )


class PasswordReset(Base):
    """A request for a new password by mail. One for nobody's address has no user: it is there so
    that both take the same time. The token of the mail is kept as its SHA-256 only."""

    __tablename__ = "password_resets"

    id: Mapped[uuid.UUID] = mapped_column(UUID, primary_key=True)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime.datetime] = mapped_column(Moment, index=True)

    __table_args__ = (CheckConstraint("octet_length(token_hash) = 32", name="sha256"),)


class EmailVerification(Base):
    """An address that a user has yet to confirm; a user has one at a time. The token of the mail is
    kept as its SHA-256 only, and holds for this very address."""

    __tablename__ = "email_verifications"

    id: Mapped[uuid.UUID] = mapped_column(UUID, primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime.datetime] = mapped_column(Moment, index=True)

    __table_args__ = (CheckConstraint("octet_length(token_hash) = 32", name="sha256"),)


class EmailChange(Base):
    """The address that a user had before a change, kept until it has been told of the change."""

    __tablename__ = "email_changes"

    id: Mapped[uuid.UUID] = mapped_column(UUID, primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    old_email: Mapped[str] = mapped_column(String(254))
    expires_at: Mapped[datetime.datetime] = mapped_column(Moment, index=True)


class Throttle(Base):
    """How often something was tried, by the SHA-256 of what it was (`users.throttle`)."""

    __tablename__ = "throttles"

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    failed_at: Mapped[datetime.datetime] = mapped_column(Moment, index=True)
    retry_at: Mapped[datetime.datetime] = mapped_column(Moment)

    __table_args__ = (CheckConstraint("failures >= 0", name="failures"),)


class KnownNetwork(Base):
    """The SHA-256 of a network from which a user has signed in."""

    __tablename__ = "known_networks"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    network: Mapped[bytes] = mapped_column(LargeBinary)
    seen_at: Mapped[datetime.datetime] = mapped_column(Moment, index=True)

    __table_args__ = (UniqueConstraint("user_id", "network"),)


class Totp(Base):
    """The secret of a user's authenticator app (`users.second_factor.totp`); it counts
    once it is confirmed."""

    __tablename__ = "totp"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    secret: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime.datetime] = mapped_column(Moment)
    confirmed_at: Mapped[datetime.datetime | None] = mapped_column(Moment)
    #: The newest step whose code was used: none up to it holds any more.
    last_step: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint("(confirmed_at IS NULL) = (last_step IS NULL)", name="confirmed_by_a_code"),
    )


class RecoveryCode(Base):
    """The SHA-256 of a code that stands in for the authenticator app, once."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)

    __table_args__ = (CheckConstraint("octet_length(code_hash) = 32", name="sha256"),)


class TotpChallenge(Base):
    """Somebody has shown a user's password, and a code is still missing."""

    __tablename__ = "totp_challenges"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    expires_at: Mapped[datetime.datetime] = mapped_column(Moment, index=True)

    __table_args__ = (CheckConstraint("octet_length(token_hash) = 32", name="sha256"),)


class AuditEntry(Base):
    """Who did what to whom, or to which thing (`users.audit`). Append-only: triggers refuse to
    change an entry, and to delete one that is younger than 90 days."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime.datetime] = mapped_column(Moment)
    action: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[uuid.UUID | None] = mapped_column(UUID)
    actor_id: Mapped[uuid.UUID | None] = mapped_column(UUID)
    actor_role: Mapped[str | None] = mapped_column(String(16))
    network: Mapped[str | None] = mapped_column(String(64))
    client: Mapped[str | None] = mapped_column(String(48))
    request_id: Mapped[str | None] = mapped_column(String(128))
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    #: A kind of thing and its id, where it is no account.
    target: Mapped[str | None] = mapped_column(String(24))
    target_id: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_audit_entries_at_id", "at", "id"),
        Index(
            "ix_audit_entries_target_at_id",
            *("target", "target_id", "at", "id"),
            postgresql_where=text("target IS NOT NULL"),
        ),
        Index("ix_audit_entries_user_id_at_id", "user_id", "at", "id"),
        Index("ix_audit_entries_actor_id_at_id", "actor_id", "at", "id"),
        Index("ix_audit_entries_action_at_id", "action", "at", "id"),
    )


class SigningKey(Base):
    """A private key for access tokens. At most one is not retired."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    private_pem: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime.datetime] = mapped_column(Moment)
    retired_at: Mapped[datetime.datetime | None] = mapped_column(Moment)

    __table_args__ = (
        Index(
            "uq_signing_keys_active",
            text("(retired_at IS NULL)"),
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
        ),
    )
