"""Signing keys and the access tokens made with them, as everyone else sees them."""

import datetime

import eventlet
import jwt
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.clock import utcnow
from chassis.errors import Forbidden, Unauthenticated
from chassis.identity import Actor, KeySet, Role, Signer, Verifier
from shop.cli import shop
from tests.integration.users import people
from tests.integration.users.people import PASSWORD
from users.service import UsersService

LIFETIME = datetime.timedelta(minutes=15)


@pytest.fixture
def verifier(users, service, clock):
    """Another service's verifier: all it has are the public keys and what is agreed on."""
    return new_verifier(users, clock, **service.config["identity"])


def new_verifier(users, clock, issuer, audience):
    return Verifier(KeySet(users.jwks, clock), issuer, audience, clock)


@pytest.fixture
def tokens(users, anna):
    """The answer to Anna's login."""
    return users.login(email="anna@example.com", password=PASSWORD)


def test_an_access_token_names_its_user(users, verifier, anna, tokens):
    """Whoever has the public keys can tell who it is, and what he may do."""
    actor = verifier.verify(tokens["access_token"])

    assert {"user_id": anna["id"], "role": "customer"} == actor.to_wire()


def test_public_keys_only(users):
    """Nothing private leaves."""
    jwks = users.jwks()

    assert list(jwks) == ["keys"]
    assert [{"kty", "crv", "x", "kid", "use", "alg"}] == [set(key) for key in jwks["keys"]]
    assert jwks == users.jwks()


def test_instances_that_start_at_once_agree_on_a_key(start, call, service):
    """Many first requests to two instances make one key."""
    start(UsersService)

    threads = [eventlet.spawn(call.users.jwks) for _ in range(12)]

    kids = {key["kid"] for thread in threads for key in thread.wait()["keys"]}
    assert len(kids) == 1
    assert people.rows(service, "SELECT count(*) FROM signing_keys") == [(1,)]


def test_the_database_holds_one_active_key(users, service):
    """A second one cannot even be stored."""
    users.jwks()
    insert = (
        "INSERT INTO signing_keys (kid, private_pem, created_at) VALUES ('k', 'x', now())"
        " RETURNING kid"
    )
    with pytest.raises(sa.exc.IntegrityError):
        people.rows(service, insert)


def test_a_retired_key_stays_until_its_tokens_have_expired(users, service, verifier, tokens, clock):
    """After a change of keys old tokens hold to their end, and new ones do at once."""
    people.rows(service, "UPDATE signing_keys SET retired_at = :now RETURNING 1", now=clock())
    assert verifier.verify(tokens["access_token"])
    clock.advance(seconds=10)

    fresh = users.refresh(refresh_token=tokens["refresh_token"])["access_token"]

    assert verifier.verify(fresh)
    kids = [jwt.get_unverified_header(t)["kid"] for t in (fresh, tokens["access_token"])]
    assert kids == [key["kid"] for key in users.jwks()["keys"]]
    clock.advance(minutes=15)
    assert kids[:1] == [key["kid"] for key in users.jwks()["keys"]]


def test_rotating_the_keys(users, service, clock, tokens):
    """On every gateway, at once: tokens from before still hold, new ones have the new key."""
    gateways = [new_verifier(users, clock, **service.config["identity"]) for _ in range(2)]
    for gateway in gateways:
        gateway.verify(tokens["access_token"])
    clock.advance(seconds=2)

    kid = users.rotate_keys()["kid"]

    fresh = users.login(email="anna@example.com", password=PASSWORD)["access_token"]
    assert jwt.get_unverified_header(fresh)["kid"] == kid
    late = new_verifier(users, clock, **service.config["identity"])
    for gateway in (*gateways, late):
        assert gateway.verify(fresh) == gateway.verify(tokens["access_token"])


def test_the_operators_command_rotates(users, service, tokens, monkeypatch):
    """`shop keys rotate` names the key that signs from then on."""
    monkeypatch.setenv("AMQP_URI", service.config["AMQP_URI"])

    told = CliRunner().invoke(shop, ["keys", "rotate"], catch_exceptions=False)

    fresh = users.refresh(refresh_token=tokens["refresh_token"])["access_token"]
    assert told.exit_code == 0
    first, advice, _ = told.stdout.split("\n")
    assert first == f"new key: {jwt.get_unverified_header(fresh)['kid']}"
    assert advice.startswith("nothing to restart")
    kids = [key["kid"] for key in users.jwks()["keys"]]
    assert jwt.get_unverified_header(tokens["access_token"])["kid"] in kids[1:]


def test_rotations_at_once_leave_one_key(users, service, tokens):
    """Nobody is left without a key to sign with, nor with two."""
    kids = {
        thread.wait()["kid"] for thread in [eventlet.spawn(users.rotate_keys) for _ in range(4)]
    }
    active = people.rows(service, "SELECT kid FROM signing_keys WHERE retired_at IS NULL")
    assert len(active) == 1
    assert active[0][0] in kids


def test_only_operators_and_admins_rotate(users, anna):
    """It is nothing for customers."""
    with pytest.raises(Forbidden):
        users.rotate_keys(actor={"user_id": anna["id"], "role": "staff"})


def test_an_access_token_expires(verifier, tokens, clock):
    """After `expires_in` seconds."""
    clock.advance(seconds=tokens["expires_in"] - 5)
    assert verifier.verify(tokens["access_token"])
    clock.advance(seconds=5)

    with pytest.raises(Unauthenticated):
        verifier.verify(tokens["access_token"])


def test_a_refresh_token_is_no_access_token(verifier, tokens):
    """It opens nothing but the refresh."""
    with pytest.raises(Unauthenticated):
        verifier.verify(tokens["refresh_token"])


def test_a_token_is_for_one_audience(users, service, tokens, clock):
    """Another system that trusts the same issuer does not take it."""
    issuer = service.config["identity"]["issuer"]
    other = new_verifier(users, clock, issuer=issuer, audience="other-api")

    with pytest.raises(Unauthenticated):
        other.verify(tokens["access_token"])


def test_somebody_elses_signature(service, verifier, anna, tokens):
    """A token with the true key's id, made with another key, is refused."""
    kid = jwt.get_unverified_header(tokens["access_token"])["kid"]
    thief = Signer(
        Ed25519PrivateKey.generate(), kid, **service.config["identity"], lifetime=LIFETIME
    )

    with pytest.raises(Unauthenticated):
        verifier.verify(thief.sign(Actor(anna["id"], Role.ADMIN), utcnow()))
