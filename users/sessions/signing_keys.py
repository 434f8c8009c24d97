"""The keys that access tokens are signed with.

They live in this service's database and nowhere else; what leaves is the public half. The private
half is stored as plain PEM: who can read this database can sign tokens, so protect it like one.
At most one key is not retired, which a unique index holds even for instances that start at once.
"""

import datetime
from functools import lru_cache
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.identity import public_jwk
from chassis.messages import Json
from users.models import SigningKey


def active(session: Session, now: datetime.datetime) -> tuple[str, Ed25519PrivateKey]:
    """Key id and private key to sign with; the first call ever makes it."""
    key = session.scalar(_active()) or _insert(session, now)
    return key.kid, _load(key.private_pem)


def rotate(session: Session, now: datetime.datetime) -> str:
    """Retire the active key and make another, whose id is returned. The old one stays published
    while its tokens hold. Two rotations at once are one."""
    old = session.scalar(_active().with_for_update())
    if old is not None:
        old.retired_at = now
        session.flush()
    return _insert(session, now).kid


def published(session: Session, now: datetime.datetime, token_lifetime: datetime.timedelta) -> Json:
    """The JWKS: the active key, and retired ones until the last token they signed has expired."""
    active(session, now)
    still_needed = SigningKey.retired_at.is_(None) | (SigningKey.retired_at > now - token_lifetime)
    keys = session.scalars(
        select(SigningKey).where(still_needed).order_by(SigningKey.created_at.desc()).limit(20)
    )
    return {"keys": [public_jwk(_load(k.private_pem).public_key(), k.kid) for k in keys]}


def _active() -> Select[Any]:
    return select(SigningKey).where(SigningKey.retired_at.is_(None))


def _insert(session: Session, now: datetime.datetime) -> SigningKey:
    """Make a key; of two instances that do so at once, both get that of the first."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    session.execute(
        insert(SigningKey)
        .values(kid=uuid4().hex, private_pem=pem.decode(), created_at=now)
        .on_conflict_do_nothing()
    )
    return session.scalars(_active()).one()


@lru_cache(maxsize=8)
def _load(private_pem: str) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(private_pem.encode(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return key
