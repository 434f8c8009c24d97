"""The life of a session, over RPC on a real database."""

import datetime

import eventlet
import jwt
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.errors import Invalid, Unauthenticated
from tests.integration.users import people
from tests.integration.users.people import PASSWORD
from users.sessions import store as session_store


@pytest.fixture
def tokens(users, anna):
    """The answer to Anna's login."""
    return users.login(email="anna@example.com", password=PASSWORD)


def refresh(users, tokens):
    return users.refresh(refresh_token=tokens["refresh_token"])


def assert_ended(users, tokens):
    with pytest.raises(Unauthenticated) as caught:
        refresh(users, tokens)
    assert caught.value.code == "session_ended"


def test_refreshing_rotates(users, tokens, service):
    """Each refresh gives a new pair; only digests are stored."""
    second = refresh(users, tokens)
    third = refresh(users, second)

    pairs = (tokens, second, third)
    assert len({pair["refresh_token"] for pair in pairs}) == 3
    assert len({pair["access_token"] for pair in pairs}) == 3
    assert second.keys() == tokens.keys()
    stored = people.rows(service, "SELECT row_to_json(t)::text FROM refresh_tokens t")
    assert len(stored) == 3
    assert not any(pair["refresh_token"] in row for pair in pairs for (row,) in stored)


def test_a_lost_answer_is_given_again(users, tokens, clock):
    """Within ten seconds the previous token gets the same successor, which then works."""
    lost = refresh(users, tokens)
    clock.advance(seconds=9)

    again = refresh(users, tokens)

    assert lost["refresh_token"] == again["refresh_token"]
    assert refresh(users, again)


def test_refreshes_at_the_same_instant(users, tokens, service):
    """Two tabs with one token get one new refresh token between them."""
    threads = [eventlet.spawn(refresh, users, tokens) for _ in range(6)]

    answers = {thread.wait()["refresh_token"] for thread in threads}

    assert len(answers) == 1
    assert people.rows(service, "SELECT count(*) FROM refresh_tokens") == [(2,)]


def test_a_reused_token_ends_the_family(users, tokens, clock):
    """After ten seconds somebody else must have it: nobody of the family gets on."""
    second = refresh(users, tokens)
    clock.advance(seconds=11)

    assert_ended(users, tokens)
    assert_ended(users, second)


def test_a_token_from_before_the_last_one_ends_the_family(users, tokens):
    """Only the immediately previous one is honoured, however quick one is."""
    second = refresh(users, tokens)
    third = refresh(users, second)

    assert_ended(users, tokens)
    assert_ended(users, third)


def test_the_end_of_one_family_is_not_the_end_of_another(users, tokens, clock):
    """Other devices stay signed in."""
    phone = users.login(username="anna", password=PASSWORD)
    refresh(users, tokens)
    clock.advance(seconds=11)
    assert_ended(users, tokens)

    assert refresh(users, phone)


def test_a_refresh_and_a_reuse_at_the_same_instant(users, tokens, clock):
    """Whichever comes first, the family is over in the end."""
    second = refresh(users, tokens)
    clock.advance(seconds=11)

    def attempt(pair):
        try:
            return refresh(users, pair)
        except Unauthenticated:
            return None

    threads = [eventlet.spawn(attempt, pair) for pair in (second, tokens) * 3]
    third = next((pair for pair in [t.wait() for t in threads] if pair), None)

    for pair in filter(None, (tokens, second, third)):
        assert_ended(users, pair)


def test_an_unused_token_expires(users, tokens, clock):
    """After thirty days; every refresh starts them anew."""
    clock.advance(days=29)
    second = refresh(users, tokens)
    clock.advance(days=29)
    third = refresh(users, second)
    clock.advance(days=30)

    assert_ended(users, third)


def test_logging_out(users, tokens):
    """Ends the family, by its newest or an older token; a second time is no error."""
    second = refresh(users, tokens)

    assert len(users.logout(refresh_token=tokens["refresh_token"])["ended"]) == 1

    assert_ended(users, second)
    assert users.logout(refresh_token=second["refresh_token"]) == {"ended": []}
    assert users.logout(refresh_token="never-seen") == {"ended": []}


@pytest.mark.parametrize("token", ["unknown", "x" * 43, "x" * 512])
def test_tokens_nobody_was_given(users, anna, token):
    """The session has ended, or never begun."""
    assert_ended(users, {"refresh_token": token})


@pytest.mark.parametrize("token", ["", "a b", "x" * 513, "tökén", "nul\0", None, 7])
def test_what_is_no_token_at_all(users, token):
    """Invalid, before any query."""
    for method in (users.refresh, users.logout):
        with pytest.raises(Invalid):
            method(refresh_token=token)


def test_an_access_token_is_no_refresh_token(users, tokens):
    """The two cannot stand in for each other."""
    assert_ended(users, {"refresh_token": tokens["access_token"]})


def test_a_new_role_comes_with_the_next_refresh(users, anna, tokens):
    """The access token says what the role is now, not what it was at login."""
    users.update(user_id=anna["id"], partial=True, role="staff")

    token = refresh(users, tokens)["access_token"]

    claims = jwt.decode(token, options={"verify_signature": False})
    assert (anna["id"], "staff") == (claims["sub"], claims["role"])


def test_expired_sessions_are_forgotten(users, tokens, service):
    """Tokens that expired and families without any go; the living stay."""
    refresh(users, tokens)
    in_a_month = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=30, seconds=5)
    counts = "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM refresh_tokens)"
    people.rows(
        service,
        "UPDATE refresh_tokens SET expires_at = expires_at + interval '1 day'"
        " WHERE used_at IS NULL RETURNING 1",
    )
    people.rows(
        service, "UPDATE sessions SET expires_at = expires_at + interval '1 day' RETURNING 1"
    )

    with people.database(service) as connection:
        session_store.purge(Session(connection), in_a_month)
    assert people.rows(service, counts) == [(1, 1)]

    with people.database(service) as connection:
        session_store.purge(Session(connection), in_a_month + datetime.timedelta(days=1))
    assert people.rows(service, counts) == [(0, 0)]


def test_the_database_keeps_tokens_whole(service, anna):
    """One that was used without a way to its successor cannot be stored."""
    insert = (
        "WITH family AS (INSERT INTO sessions VALUES (gen_random_uuid(), :id, now(), now())"
        " RETURNING id) INSERT INTO refresh_tokens (token_hash, session_id, expires_at, used_at)"
        " SELECT sha256('x'), id, now(), now() FROM family RETURNING 1"
    )
    with pytest.raises(sa.exc.IntegrityError, match="used_has_successor"):
        people.rows(service, insert, id=anna["id"])
