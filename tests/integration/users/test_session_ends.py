"""How sessions are listed, ended, and come to their end by themselves; over RPC."""

import datetime
import uuid

import eventlet
import jwt
import pytest

from chassis.errors import Forbidden, NotFound, Unauthenticated
from tests.integration.users import people
from tests.integration.users.people import PASSWORD
from users.service import UsersService
from users.sessions import store as session_store

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)


def log_in(users, email=people.SIGN_UP["email"], **where):
    return users.login(email=email, password=PASSWORD, **where)


def session_of(tokens):
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    return claims["sid"]


def is_over(users, user_id, session_id):
    try:
        users.check_session(user_id=user_id, session_id=session_id)
    except Unauthenticated as fault:
        return fault.code == "session_ended"
    return False


def test_a_token_names_its_session(users, anna):
    """The same from login to the last refresh."""
    tokens = log_in(users)
    again = users.refresh(refresh_token=tokens["refresh_token"])
    assert session_of(tokens) == session_of(again)
    assert session_of(log_in(users)) != session_of(tokens)


def test_sessions_are_listed_with_where_they_are_from(users, anna, clock):
    """Abbreviated: neither an address nor a whole User-Agent is stored."""
    laptop = log_in(users, network="203.0.113.77", user_agent=FIREFOX)
    clock.advance(minutes=1)
    phone = log_in(users, network="2001:db8:1:2::/64", user_agent=SAFARI)
    clock.advance(minutes=1)
    users.refresh(refresh_token=laptop["refresh_token"], network="198.51.100.9")

    page = users.list_sessions(user_id=anna["id"], session_id=session_of(phone))

    first, second = page["items"]
    assert (first["id"], second["id"]) == (session_of(laptop), session_of(phone))
    assert (first["current"], second["current"]) == (False, True)
    assert (first["client"], first["network"]) == ("Firefox on Linux", "198.51.100.0/24")
    assert (second["client"], second["network"]) == ("Safari on iOS", "2001:db8:1::/48")
    assert first["last_used_at"] > second["last_used_at"] > first["created_at"]


@pytest.mark.parametrize("user_agent", [None, "", "x" * 512, "\0", "<script>", "Möbius/1.0"])
def test_strange_clients_have_no_name(users, anna, user_agent):
    """What was sent is not stored."""
    log_in(users, network="not an address", user_agent=user_agent)
    (session,) = users.list_sessions(user_id=anna["id"])["items"]
    assert (session["client"], session["network"]) == (None, None)


def test_one_is_ended(users, anna):
    """The others go on; a second time, and somebody else's, is not found."""
    one, other = log_in(users), log_in(users)
    ben = users.sign_up(email="ben@example.com", password=PASSWORD)
    with pytest.raises(NotFound):
        users.end_session(user_id=ben["id"], session_id=session_of(one))
    assert users.end_session(user_id=anna["id"], session_id=session_of(one)) == {
        "ended": [session_of(one)]
    }
    with pytest.raises(NotFound):
        users.end_session(user_id=anna["id"], session_id=session_of(one))
    assert is_over(users, anna["id"], session_of(one))
    assert not is_over(users, anna["id"], session_of(other))
    with pytest.raises(Unauthenticated):
        users.refresh(refresh_token=one["refresh_token"])
    assert users.refresh(refresh_token=other["refresh_token"])


def test_all_or_all_others_are_ended(users, anna, admin):
    """By the user, by an admin; not by anybody else."""
    tokens = [log_in(users) for _ in range(3)]
    me = {"user_id": anna["id"], "role": "customer"}
    kept = session_of(tokens[0])
    ben = {"user_id": str(uuid.uuid4()), "role": "staff"}
    with pytest.raises(Forbidden):
        users.end_sessions(user_id=anna["id"], actor=ben)
    assert len(users.end_sessions(user_id=anna["id"], but=kept, actor=me)["ended"]) == 2
    assert not is_over(users, anna["id"], kept)
    assert users.end_sessions(user_id=anna["id"], actor=admin)["ended"] == [kept]
    assert is_over(users, anna["id"], kept)
    with pytest.raises(NotFound):
        users.end_sessions(user_id=people.UNKNOWN, actor=admin)


def test_a_session_is_checked_with_its_user(users, anna):
    """Somebody else's id does not fit; a token without a session needs a user who is there."""
    mine = session_of(log_in(users))
    ben = users.sign_up(email="ben@example.com", password=PASSWORD)
    assert users.check_session(user_id=anna["id"], session_id=mine)["role"] == "customer"
    assert is_over(users, ben["id"], mine)
    assert is_over(users, anna["id"], people.UNKNOWN)
    assert not is_over(users, anna["id"], None)
    assert is_over(users, people.UNKNOWN, None)


def test_ended_ones_among_many(users, anna):
    """In one question."""
    mine = session_of(log_in(users))
    asked = [mine, people.UNKNOWN]
    assert users.ended_sessions(session_ids=asked) == {"ended": [people.UNKNOWN]}
    assert users.ended_sessions(session_ids=[]) == {"ended": []}


def test_every_end_is_told(users, anna, admin, told, clock):
    """With the ids of what has ended, after it has."""
    tokens = [log_in(users) for _ in range(5)]
    ids = [session_of(pair) for pair in tokens]
    users.logout(refresh_token=tokens[0]["refresh_token"])
    users.end_session(user_id=anna["id"], session_id=ids[1])
    used = tokens[2]["refresh_token"]
    users.refresh(refresh_token=used)
    clock.advance(seconds=11)
    with pytest.raises(Unauthenticated):
        users.refresh(refresh_token=used)
    users.change_password(
        user_id=anna["id"], current_password=PASSWORD, new_password="staple battery"
    )
    news = told["sessions_ended"]
    assert [set(one["session_ids"]) for one in news] == [{i} for i in ids[:3]] + [set(ids[3:])]
    assert {one["user_id"] for one in news} == {anna["id"]}


def test_no_session_lasts_for_ever(users, anna, clock):
    """Refreshed every ten days, it ends after ninety; so do the tokens of its last day."""
    tokens = log_in(users)
    for _ in range(8):
        clock.advance(days=10)
        tokens = users.refresh(refresh_token=tokens["refresh_token"])
    clock.advance(days=9, hours=23, minutes=50)
    tokens = users.refresh(refresh_token=tokens["refresh_token"])
    assert 0 < tokens["expires_in"] <= 600
    assert not is_over(users, anna["id"], session_of(tokens))
    clock.advance(minutes=10)
    with pytest.raises(Unauthenticated):
        users.refresh(refresh_token=tokens["refresh_token"])
    assert is_over(users, anna["id"], session_of(tokens))


def test_those_of_staff_end_sooner(users, admin, clock):
    """After half a day, however often they are refreshed."""
    tokens = users.login(email="admin@example.com", password="rule the shop")
    for _ in range(3):
        clock.advance(hours=3)
        tokens = users.refresh(refresh_token=tokens["refresh_token"])
    clock.advance(hours=3)
    with pytest.raises(Unauthenticated):
        users.refresh(refresh_token=tokens["refresh_token"])
    assert is_over(users, admin["user_id"], session_of(tokens))


def test_who_becomes_staff_has_shorter_sessions(users, anna, clock):
    """From the next refresh on, counted from the login."""
    tokens = log_in(users)
    clock.advance(hours=13)
    tokens = users.refresh(refresh_token=tokens["refresh_token"])
    users.update(user_id=anna["id"], partial=True, role="staff")
    with pytest.raises(Unauthenticated):
        users.refresh(refresh_token=tokens["refresh_token"])


def test_lifetimes_are_settings(start, call, clock):
    """In seconds."""
    start(UsersService, users={"session_seconds": 7200, "staff_session_seconds": 3600})
    call.users.sign_up(**people.SIGN_UP)
    tokens = log_in(call.users)
    clock.advance(seconds=7199)
    tokens = call.users.refresh(refresh_token=tokens["refresh_token"])
    assert tokens["expires_in"] <= 1


def test_a_user_has_a_bounded_number_of_sessions(users, anna, monkeypatch):
    """One more ends the one that was not used for the longest time."""
    monkeypatch.setattr(session_store, "MAX_SESSIONS", 3)
    tokens = [log_in(users) for _ in range(3)]
    users.refresh(refresh_token=tokens[0]["refresh_token"])
    log_in(users)
    over = [is_over(users, anna["id"], session_of(pair)) for pair in tokens]
    assert over == [False, True, False]


def test_an_end_and_a_refresh_at_the_same_instant(users, anna):
    """In the end it is over, whichever came first."""
    for _ in range(5):
        tokens = log_in(users)

        def refresh(token=tokens["refresh_token"]):
            try:
                return users.refresh(refresh_token=token)
            except Unauthenticated:
                return None

        me = {"user_id": anna["id"], "role": "customer"}
        threads = [
            eventlet.spawn(refresh),
            eventlet.spawn(users.end_sessions, user_id=anna["id"], actor=me),
            eventlet.spawn(refresh),
        ]
        for pair in filter(None, [thread.wait() for thread in threads][::2]):
            with pytest.raises(Unauthenticated):
                users.refresh(refresh_token=pair["refresh_token"])
        assert is_over(users, anna["id"], session_of(tokens))


def test_sessions_from_before_are_listed(users, anna, service):
    """A row of an older process, which knew nothing of the new columns."""
    insert = (
        "INSERT INTO sessions (id, user_id, created_at, expires_at)"
        " VALUES (gen_random_uuid(), :id, now(), now() + interval '1 day') RETURNING 1"
    )
    people.rows(service, insert, id=anna["id"])
    (session,) = users.list_sessions(user_id=anna["id"])["items"]
    last_used = datetime.datetime.fromisoformat(session["last_used_at"])
    assert datetime.datetime.now(datetime.UTC) - last_used < datetime.timedelta(minutes=1)
