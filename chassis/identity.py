"""Who acts: the actor a call is made for, and the signed access tokens that name one.

Between services the actor travels as `{"user_id": "<uuid>", "role": "<role>"}`, or as "system" when
the system itself acts: whoever says nothing is nobody. From outside it comes as an access token, a
JWT by RFC 9068: whoever holds the private key signs (`Signer`), everyone else verifies with the
public keys alone (`Verifier`). RFC 8725 is followed: one algorithm, pinned to the key; `typ`,
`iss`, `aud`, `exp` and `nbf` are checked; nothing in a token says where its key comes from.
"""

from __future__ import annotations

import datetime
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, cast
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.algorithms import OKPAlgorithm
from jwt.types import Options

from chassis.errors import Unauthenticated, Unavailable


class Role(StrEnum):
    """What a person may do, from the least to the most trusted."""

    CUSTOMER = "customer"
    STAFF = "staff"
    ADMIN = "admin"


_SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person in a `Role`, or the system itself (`Actor.SYSTEM`, which has no user id)."""

    user_id: UUID | None
    role: str

    SYSTEM: ClassVar[Actor]

    def __post_init__(self) -> None:
        # Nobody without an id may pass for a person, nor a person for the system.
        if (self.user_id is None) != (self.role == _SYSTEM):
            raise ValueError("only the system acts without a user id")

    @property
    def is_staff(self) -> bool:
        """True for staff, admins and the system."""
        return self.role in (Role.STAFF, Role.ADMIN, _SYSTEM)

    @property
    def is_admin(self) -> bool:
        """True for admins and the system."""
        return self.role in (Role.ADMIN, _SYSTEM)

    def to_wire(self) -> dict[str, str] | str:
        """The JSON form; "system" for the system."""
        if self.user_id is None:
            return _SYSTEM
        return {"user_id": str(self.user_id), "role": str(self.role)}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any] | str) -> Actor:
        """The actor of a JSON form. Raises ValueError on any other shape, None among them."""
        if wire == _SYSTEM:
            return cls.SYSTEM
        try:
            if isinstance(wire, str):
                raise ValueError(wire)
            return cls(UUID(wire["user_id"]), Role(wire["role"]))
        except (KeyError, TypeError, AttributeError, ValueError):
            raise ValueError("not an actor") from None


Actor.SYSTEM = Actor(None, _SYSTEM)

TYPE = "at+jwt"
ALGORITHM = "EdDSA"
#: Longer tokens are refused unread; ours have about 400 characters.
MAX_TOKEN_LENGTH = 4096
_CLAIMS = ["iss", "aud", "sub", "role", "iat", "nbf", "exp", "jti"]
#: The last second that `datetime` can hold; ours are whole seconds since 1970.
_LAST_SECOND = 253402300799
#: Seconds that no token of ours holds: one that claims to is refused.
_LONGEST_LIFE = 86_400


def public_jwk(key: Ed25519PublicKey, kid: str) -> dict[str, Any]:
    """The public key as a member of a JWKS (RFC 7517)."""
    return {**OKPAlgorithm.to_jwk(key, as_dict=True), "kid": kid, "use": "sig", "alg": ALGORITHM}


@dataclass(frozen=True)
class Signer:
    """Makes access tokens of `lifetime` that `audience` accepts from `issuer`."""

    private_key: Ed25519PrivateKey
    kid: str
    issuer: str
    audience: str
    lifetime: datetime.timedelta

    def sign(self, actor: Actor, now: datetime.datetime, session_id: UUID | None = None) -> str:
        """A token that says that `actor` (a person) signed in, valid from `now`; it belongs to the
        session `session_id` (claim `sid`)."""
        if actor.user_id is None:
            raise ValueError("the system does not sign in")
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": str(actor.user_id),
            "role": str(actor.role),
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int((now + self.lifetime).timestamp()),
            "jti": uuid4().hex,
        }
        if session_id is not None:
            claims["sid"] = str(session_id)
        headers = {"typ": TYPE, "kid": self.kid}
        return jwt.encode(claims, self.private_key, algorithm=ALGORITHM, headers=headers)


@dataclass(frozen=True, slots=True)
class Identity:
    """What an access token says: who acts, and in which session. Tokens made before sessions were
    named in them have no `session_id`."""

    actor: Actor
    session_id: UUID | None
    expires_at: int


class KeySet:
    """The public keys of a JWKS that is fetched when a token names a key not known yet.

    `fetch` answers `{"keys": [...]}`. However many tokens name unknown keys, it is called at most
    once in `refetch_after`; after a failure, once in `retry_after`. A key that the newer set no
    longer has is forgotten.
    """

    def __init__(
        self,
        fetch: Callable[[], Mapping[str, Any]],
        clock: Callable[[], datetime.datetime],
        refetch_after: datetime.timedelta = datetime.timedelta(seconds=2),
        retry_after: datetime.timedelta = datetime.timedelta(seconds=1),
    ):
        self._fetch = fetch
        self._clock = clock
        self._refetch_after = refetch_after
        self._retry_after = retry_after
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._next_fetch: datetime.datetime | None = None
        self._failed = False
        self._lock = threading.Lock()

    def get(self, kid: str) -> Ed25519PublicKey | None:
        """The key, None if there is no such; raises `Unavailable` when that cannot be known now."""
        if kid not in self._keys:
            with self._lock:  # those who come while one fetches wait for its answer
                if kid not in self._keys and self._may_fetch():
                    self._refetch()
        if kid not in self._keys and self._failed:
            raise Unavailable("Tokens cannot be checked just now.")
        return self._keys.get(kid)

    def _may_fetch(self) -> bool:
        return self._next_fetch is None or self._clock() >= self._next_fetch

    def _refetch(self) -> None:
        self._failed = True
        try:
            jwks = self._fetch()
            self._keys = {
                jwk["kid"]: cast(Ed25519PublicKey, OKPAlgorithm.from_jwk(jwk))
                for jwk in jwks["keys"]
                if jwk["alg"] == ALGORITHM
            }
            self._failed = False
        finally:
            pause = self._retry_after if self._failed else self._refetch_after
            self._next_fetch = self._clock() + pause


class Verifier:
    """Tells whom an access token names, with public keys alone; thread- and greenthread-safe.

    Verified tokens are remembered until they expire, `cache_size` at most. `leeway` forgives that
    the signer's clock is a little ahead.
    """

    def __init__(
        self,
        keys: KeySet,
        issuer: str,
        audience: str,
        clock: Callable[[], datetime.datetime],
        cache_size: int = 10_000,
        leeway: datetime.timedelta = datetime.timedelta(seconds=5),
    ):
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._cache_size = cache_size
        self._leeway = leeway.total_seconds()
        self._verified: OrderedDict[str, Identity] = OrderedDict()

    def verify(self, token: str) -> Actor:
        """The person whom `token` names; raises `Unauthenticated` if it does not hold."""
        return self.identify(token).actor

    def identify(self, token: str) -> Identity:
        """All that `token` says; raises `Unauthenticated` if it does not hold."""
        now = self._clock().timestamp()
        known = self._verified.get(token)
        if known and now < known.expires_at:
            return known
        self._verified.pop(token, None)
        identity = self._check(token, now)
        while len(self._verified) >= self._cache_size:
            self._verified.popitem(last=False)
        self._verified[token] = identity
        return identity

    def _check(self, token: str, now: float) -> Identity:
        if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
            raise Unauthenticated("Not an access token.")
        try:
            claims = self._claims(token)
            actor = Actor(UUID(claims["sub"]), Role(claims["role"]))
            session_id = UUID(claims["sid"]) if "sid" in claims else None
            times = (_seconds(claims[name]) for name in ("iat", "nbf", "exp"))
            issued_at, not_before, expires_at = times
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, RecursionError):
            raise Unauthenticated("Not an access token.") from None
        if expires_at - issued_at >= _LONGEST_LIFE:
            raise Unauthenticated("Not an access token.")
        if not max(issued_at, not_before) - self._leeway <= now < expires_at:
            raise Unauthenticated("The access token has expired.", code="token_expired")
        return Identity(actor, session_id, expires_at)

    def _claims(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        if header.get("typ") != TYPE or not isinstance(header.get("kid"), str):
            raise jwt.InvalidTokenError("not one of ours")
        key = self._keys.get(header["kid"])
        if key is None:
            raise jwt.InvalidTokenError("unknown key")
        # exp and nbf are compared by `_check`: PyJWT would ask the wall clock.
        options: Options = {
            "require": _CLAIMS,
            "strict_aud": True,
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
        }
        return jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=self._audience,
            issuer=self._issuer,
            options=options,
        )


def _seconds(claim: Any) -> int:
    """A claim that is a time: whole seconds since 1970. RFC 7519 allows fractions, we never make
    any; what JSON parsers let through besides (Infinity, NaN, true) is no time at all."""
    if type(claim) is not int or not 0 <= claim <= _LAST_SECOND:
        raise ValueError("not a time")
    return claim
