"""Actors and access tokens: what holds, and everything that must not."""

import base64
import datetime
import json
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.errors import ServiceUnavailable, Unauthenticated, Unavailable
from chassis.identity import Actor, KeySet, Role, Signer, Verifier, public_jwk

ISSUER, AUDIENCE = "https://shop.example", "shop-api"
START = datetime.datetime(2026, 3, 1, 12, 0, tzinfo=datetime.UTC)
LIFETIME = datetime.timedelta(minutes=15)
ANNA = Actor(uuid.UUID("11111111-2222-4333-8444-555555555555"), Role.CUSTOMER)


class House:
    """One key holder, its JWKS, a settable clock and a verifier that counts its fetches."""

    def __init__(self):
        self.now = START
        self.fetches = 0
        self.fault = None
        self.foreign_keys = []
        self.signers = {"k1": self.new_signer("k1")}
        self.keys = KeySet(self.fetch, self.clock)
        self.verifier = self.new_verifier()

    def new_signer(self, kid, **changes):
        values = {"issuer": ISSUER, "audience": AUDIENCE, "lifetime": LIFETIME} | changes
        return Signer(Ed25519PrivateKey.generate(), kid, **values)

    def new_verifier(self, **changes):
        return Verifier(self.keys, ISSUER, AUDIENCE, self.clock, **changes)

    def clock(self):
        return self.now

    def fetch(self):
        self.fetches += 1
        if self.fault:
            raise self.fault
        ours = [public_jwk(s.private_key.public_key(), kid) for kid, s in self.signers.items()]
        return {"keys": [*self.foreign_keys, *ours]}

    def advance(self, seconds):
        self.now += datetime.timedelta(seconds=seconds)

    def token(self, kid="k1", actor=ANNA):
        return self.signers[kid].sign(actor, self.now)

    def forge(self, headers=None, key=None, algorithm="EdDSA", **changes):
        """A token with its claims or headers changed, signed with the true key by default."""
        claims = jwt.decode(self.token(), options={"verify_signature": False}) | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        key = self.signers["k1"].private_key if key is None else key
        headers = {"typ": "at+jwt", "kid": "k1"} | (headers or {})
        return jwt.encode(claims, key, algorithm=algorithm, headers=headers)


@pytest.fixture
def house():
    return House()


def segment(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_token_names_the_one_who_signed_in(house):
    """The actor comes back with id and role."""
    admin = Actor(uuid.uuid4(), Role.ADMIN)

    assert house.verifier.verify(house.token(actor=admin)) == admin


def test_the_token_carries_what_rfc_9068_asks_for(house):
    """Type, key id, issuer, audience, subject, times and a unique id; nothing personal."""
    token = house.token()

    claims = jwt.decode(token, options={"verify_signature": False})

    assert jwt.get_unverified_header(token) == {"typ": "at+jwt", "alg": "EdDSA", "kid": "k1"}
    assert {"iss", "aud", "sub", "role", "iat", "nbf", "exp", "jti"} == set(claims)
    assert claims["exp"] - claims["iat"] == 900
    assert claims["jti"] != jwt.decode(house.token(), options={"verify_signature": False})["jti"]


def test_a_public_key_says_nothing_private(house):
    """The JWKS member has the public half only."""
    jwk = public_jwk(house.signers["k1"].private_key.public_key(), "k1")

    assert {"kty", "crv", "x", "kid", "use", "alg"} == set(jwk)
    assert (jwk["kty"], jwk["crv"], jwk["alg"]) == ("OKP", "Ed25519", "EdDSA")


def test_a_token_ends_with_its_life(house):
    """It holds until the last second and not one longer, remembered or not."""
    token = house.token()
    house.verifier.verify(token)

    house.advance(899)
    assert house.verifier.verify(token) == ANNA
    house.advance(1)
    for verifier in (house.verifier, house.new_verifier()):
        with pytest.raises(Unauthenticated) as caught:
            verifier.verify(token)
        assert caught.value.code == "token_expired"


def test_a_token_from_the_future_does_not_hold_yet(house):
    """`nbf` counts, with a little room for clocks that differ."""
    soon = house.forge(nbf=int(START.timestamp()) + 5)
    later = house.forge(nbf=int(START.timestamp()) + 6)

    assert house.verifier.verify(soon) == ANNA
    with pytest.raises(Unauthenticated):
        house.verifier.verify(later)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"iss": [ISSUER]},
        {"aud": "other-api"},
        {"aud": [AUDIENCE, "other-api"]},
        {"sub": "admin"},
        {"role": "system"},
        {"role": "owner"},
        {"exp": "soon"},
        {"iss": None},
        {"aud": None},
        {"sub": None},
        {"role": None},
        {"nbf": None},
        {"exp": None},
        {"jti": None},
    ],
    ids=repr,
)
def test_every_claim_is_checked(house, changes):
    """A token with one claim changed or missing is refused, although its signature is right."""
    if changes.get("iss") == [ISSUER]:  # PyJWT will not write it
        claims = jwt.decode(house.token(), options={"verify_signature": False}) | changes
        key = house.signers["k1"].private_key
        payload = json.dumps(claims).encode()
        headers = {"typ": "at+jwt", "kid": "k1"}
        token = jwt.PyJWS().encode(payload, key, algorithm="EdDSA", headers=headers)
    else:
        token = house.forge(**changes)

    with pytest.raises(Unauthenticated):
        house.verifier.verify(token)


def signed(house, payload):
    """A token with the true key and this payload, which may be JSON that nobody should write."""
    header = segment({"typ": "at+jwt", "kid": "k1", "alg": "EdDSA"})
    body = base64.urlsafe_b64encode(payload.encode()).rstrip(b"=").decode()
    signature = house.signers["k1"].private_key.sign(f"{header}.{body}".encode())
    return f"{header}.{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


NO_TIMES = [
    "Infinity", "-Infinity", "NaN", "1e400", "1e300", "-1", "1" + "0" * 400, "253402300800",
    "9999999999", "253402300799", "true", "false", "null", '"9999999999"', '"soon"', "[]",
    "[9999999999]", "{}", "9999999999.5", "9999999999.0",
]  # fmt: skip


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", NO_TIMES, ids=lambda value: value[:12])
def test_times_are_whole_seconds(house, claim, value):
    """What a JSON parser lets through besides is refused, not an error of ours."""
    claims = jwt.decode(house.token(), options={"verify_signature": False}) | {claim: "HERE"}
    token = signed(house, json.dumps(claims).replace('"HERE"', value))

    with pytest.raises(Unauthenticated):
        house.verifier.verify(token)


@pytest.mark.parametrize("sid", ["null", "1", '""', '"admin"', "[]", "{}", "true"])
def test_a_session_id_is_a_uuid(house, sid):
    """A token with another is not one of ours."""
    claims = jwt.decode(house.token(), options={"verify_signature": False}) | {"sid": "HERE"}

    with pytest.raises(Unauthenticated):
        house.verifier.verify(signed(house, json.dumps(claims).replace('"HERE"', sid)))


def test_a_token_tells_its_session(house):
    """Of those from before sessions were named, there is none to tell."""
    session = uuid.uuid4()
    token = house.signers["k1"].sign(ANNA, house.now, session)

    assert house.verifier.identify(token).session_id == session
    assert house.verifier.identify(house.token()).session_id is None


@pytest.mark.parametrize("part", ["header", "payload"])
def test_deeply_nested_json_is_refused(house, part):
    """As deep as a token can be long."""
    deep = "[" * 2900
    encoded = base64.urlsafe_b64encode(deep.encode()).rstrip(b"=").decode()
    token = f"{encoded}.e30.c2ln" if part == "header" else signed(house, "[" * 2700)

    with pytest.raises(Unauthenticated):
        house.verifier.verify(token)


@pytest.mark.parametrize(
    "headers",
    [
        {"typ": "JWT"},
        {"typ": "rt+jwt"},
        {"typ": None},
        {"kid": None},
        {"kid": 1},
        {"kid": "k2"},
        {"crit": ["exp"], "exp": 1},
    ],
    ids=repr,
)
def test_every_header_is_checked(house, headers):
    """Another type, no key id or an unknown one, or a demand we do not know: refused."""
    original = {"typ": "at+jwt", "kid": "k1", "alg": "EdDSA"}
    header = {k: v for k, v in (original | headers).items() if v is not None}
    claims = jwt.decode(house.token(), options={"verify_signature": False})
    signed = f"{segment(header)}.{segment(claims)}"
    signature = house.signers["k1"].private_key.sign(signed.encode())
    token = f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    with pytest.raises(Unauthenticated):
        house.verifier.verify(token)


def test_an_unsigned_token_is_refused(house):
    """`alg: none` in any spelling."""
    claims = jwt.decode(house.token(), options={"verify_signature": False})
    for alg in ("none", "None", "NONE"):
        header = {"typ": "at+jwt", "kid": "k1", "alg": alg}
        with pytest.raises(Unauthenticated):
            house.verifier.verify(f"{segment(header)}.{segment(claims)}.")


def test_the_public_key_is_no_hmac_secret(house):
    """The algorithm is pinned: HS256 with the (public) key bytes as secret is refused."""
    public = house.signers["k1"].private_key.public_key()
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    with pytest.raises(Unauthenticated):
        house.verifier.verify(house.forge(key=raw, algorithm="HS256"))


def test_a_token_cannot_bring_its_own_key(house):
    """`jwk`, `jku` and `x5u` in the header are not looked at."""
    thief = Ed25519PrivateKey.generate()
    headers = {
        "jku": "https://thief.example/jwks.json",
        "x5u": "https://thief.example/cert.pem",
        "jwk": public_jwk(thief.public_key(), "k1"),
    }

    with pytest.raises(Unauthenticated):
        house.verifier.verify(house.forge(headers=headers, key=thief))


def test_a_changed_payload_breaks_the_signature(house):
    """Nobody promotes himself."""
    header, payload, signature = house.token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))

    with pytest.raises(Unauthenticated):
        house.verifier.verify(f"{header}.{segment(claims | {'role': 'admin'})}.{signature}")


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b.c", "ü.ü.ü", "x" * 5000, "\ud800", "e30.e30.e30", "[].[].[]"],
    ids=lambda t: ascii(t[:12]),
)
def test_garbage_is_refused(house, token):
    """Whatever is no token at all gets the same answer, and asks nobody for keys."""
    with pytest.raises(Unauthenticated):
        house.verifier.verify(token)
    assert house.fetches == 0


def test_keys_are_fetched_once(house):
    """Many tokens, one fetch."""
    for _ in range(3):
        house.verifier.verify(house.token())

    assert house.fetches == 1


def test_a_new_key_is_found(house):
    """After a rotation the unknown kid leads to one new fetch."""
    house.verifier.verify(house.token())
    house.advance(10)
    house.signers["k2"] = house.new_signer("k2")

    assert house.verifier.verify(house.token("k2")) == ANNA
    assert house.fetches == 2


def test_invented_key_ids_do_not_flood_the_key_holder(house):
    """Unknown kids cost one fetch in ten seconds, and known ones go on working."""
    for _ in range(50):
        with pytest.raises(Unauthenticated):
            house.verifier.verify(house.forge(headers={"kid": uuid.uuid4().hex}))
    assert house.fetches == 1

    house.advance(10)
    with pytest.raises(Unauthenticated):
        house.verifier.verify(house.forge(headers={"kid": "other"}))
    assert house.fetches == 2
    assert house.verifier.verify(house.token()) == ANNA


def test_without_keys_the_answer_is_unavailable_not_unauthenticated(house):
    """The key holder is away: the token may be good, so the caller may try again, soon."""
    house.fault = ServiceUnavailable()
    for _ in range(3):
        with pytest.raises(Unavailable):
            house.verifier.verify(house.token())
    assert house.fetches == 1

    house.fault = None
    house.advance(1)
    assert house.verifier.verify(house.token()) == ANNA


def test_known_keys_outlive_the_key_holder(house):
    """Whoever has the keys needs nobody."""
    house.verifier.verify(house.token())
    house.fault = ServiceUnavailable()
    house.advance(3600)

    assert house.verifier.verify(house.token()) == ANNA


def test_foreign_keys_of_the_set_are_left_alone(house):
    """A key of another algorithm in the set is neither used nor a stumbling block."""
    secret = b"s" * 32
    encoded = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
    house.foreign_keys = [{"kty": "oct", "k": encoded, "kid": "k9", "alg": "HS256"}]
    forged = house.forge(headers={"kid": "k9"}, key=secret, algorithm="HS256")

    assert house.verifier.verify(house.token()) == ANNA
    with pytest.raises(Unauthenticated):
        house.verifier.verify(forged)


def test_a_verified_token_is_remembered(house, monkeypatch):
    """The second look costs no signature check, and the memory is bounded."""
    verifier = house.new_verifier(cache_size=2)
    tokens = [house.token() for _ in range(3)]
    checks = []
    check = verifier._check
    monkeypatch.setattr(verifier, "_check", lambda *args: checks.append(1) or check(*args))

    for token in (*tokens, tokens[2]):
        verifier.verify(token)
    assert len(checks) == 3
    verifier.verify(tokens[0])  # the oldest had to go
    assert len(checks) == 4
    assert len(verifier._verified) == 2


@pytest.mark.parametrize(
    ("actor", "staff", "admin"),
    [
        (ANNA, False, False),
        (Actor(uuid.uuid4(), Role.STAFF), True, False),
        (Actor(uuid.uuid4(), Role.ADMIN), True, True),
        (Actor.SYSTEM, True, True),
        (Actor(uuid.uuid4(), "wizard"), False, False),
    ],
)
def test_roles(actor, staff, admin):
    """Who counts as staff and as admin; an unknown role counts as neither."""
    assert (staff, admin) == (actor.is_staff, actor.is_admin)


def test_an_actor_travels():
    """To JSON and back; the system says that it is the system."""
    wire = {"user_id": "11111111-2222-4333-8444-555555555555", "role": "customer"}

    assert wire == ANNA.to_wire()
    assert Actor.from_wire(wire) == ANNA
    assert Actor.SYSTEM.to_wire() == "system"
    assert Actor.from_wire("system") == Actor.SYSTEM


@pytest.mark.parametrize(
    "wire",
    [None, "", {}, [], {"role": "system"}, {"role": "admin"},
     {"user_id": None, "role": "admin"}, {"user_id": "1", "role": "admin"},
     {"user_id": str(ANNA.user_id), "role": "system"}, "admin", 7],
    ids=repr,
)  # fmt: skip
def test_nothing_else_is_an_actor(wire):
    """In particular nobody can claim to be the system."""
    with pytest.raises(ValueError, match="not an actor"):
        Actor.from_wire(wire)


def test_the_system_and_people_are_not_mixed_up():
    """Without an id only the system acts, and it has none; it cannot sign in either."""
    with pytest.raises(ValueError, match="without a user id"):
        Actor(None, Role.ADMIN)
    with pytest.raises(ValueError, match="without a user id"):
        Actor(uuid.uuid4(), "system")
    with pytest.raises(ValueError, match="does not sign in"):
        House().token(actor=Actor.SYSTEM)
