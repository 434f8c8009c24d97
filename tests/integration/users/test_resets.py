"""New passwords by mail, over RPC on a real database."""

import uuid

import eventlet
import pytest

from chassis.errors import Invalid, NotFound, TooManyRequests, Unauthenticated
from chassis.identity import Actor
from tests.integration.users import people
from tests.integration.users.people import PASSWORD
from users.accounts import commands as account_commands
from users.service import UsersService

NEW = "staple battery"
ASKED = "SELECT payload->>'reset_id', payload->>'user_id' FROM outbox WHERE type = :type"


@pytest.fixture
def ask(users, service):
    """`ask(email)`: the requests that the event tells of, newest last, as (reset, user)."""

    def ask(email="anna@example.com", network=None):
        assert users.forgot_password(email=email, network=network) is None
        return people.rows(service, ASKED + " ORDER BY id", type="password_reset_requested")

    return ask


@pytest.fixture
def token(users, ask, anna):
    """A token, as Anna's mail has it."""
    ((reset_id, _),) = ask()
    return users.issue_reset_token(reset_id=reset_id)["token"]


def refused(call, *args, **kwargs):
    with pytest.raises(Invalid) as caught:
        call(*args, **kwargs)
    return caught.value.code


def test_a_token_gives_another_password(users, token):
    """The new one opens, the old one does not."""
    assert users.reset_password(token=token, new_password=NEW).keys() == {"ended"}

    assert users.login(username="anna", password=NEW)
    with pytest.raises(Unauthenticated):
        users.login(username="anna", password=PASSWORD)


def test_all_sessions_end(users, ask, anna):
    """Whoever was in is out."""
    tokens = users.login(username="anna", password=PASSWORD)
    token = users.issue_reset_token(reset_id=ask()[0][0])["token"]
    users.reset_password(token=token, new_password=NEW)

    with pytest.raises(Unauthenticated):
        users.refresh(refresh_token=tokens["refresh_token"])


def test_a_token_holds_once(users, token):
    """Also when it comes several times at the same instant."""

    def reset(n):
        try:
            users.reset_password(token=token, new_password=f"{NEW} {n}")
        except Invalid as fault:
            return fault.code
        return "done"

    answers = sorted(eventlet.GreenPool().imap(reset, range(4)))

    assert answers == ["done"] + ["reset_token_invalid"] * 3


def test_a_user_who_is_deleted_meanwhile(users, service, token, anna):
    """The token does not hold any more; that there was such a user is told to nobody."""

    def reset(context):
        return users.reset_password(token=token, new_password=NEW)

    outcome = people.overlap(
        service,
        lambda context: account_commands.delete(context, uuid.UUID(anna["id"]), Actor.SYSTEM, None),
        reset,
    )
    assert (type(outcome), outcome.code) == (Invalid, "reset_token_invalid")


def test_who_is_deleted_meanwhile_has_no_request(users, service, anna):
    """One that was asked for at the same instant names nobody."""
    people.overlap(
        service,
        lambda context: account_commands.delete(context, uuid.UUID(anna["id"]), Actor.SYSTEM, None),
        lambda context: users.forgot_password(email="anna@example.com"),
    )
    assert people.rows(service, "SELECT user_id FROM password_resets") == [(None,)]


def test_a_token_holds_for_a_quarter_of_an_hour(users, ask, anna, clock):
    """From the request on, not from the mail."""
    clock.stop()
    ((reset_id, _),) = ask()
    clock.advance(minutes=14, seconds=59)
    token = users.issue_reset_token(reset_id=reset_id)["token"]
    assert refused(users.reset_password, token=token, new_password="short") == "invalid"
    clock.advance(seconds=1)

    assert refused(users.reset_password, token=token, new_password=NEW) == "reset_token_invalid"


def test_how_long_a_token_holds_is_a_setting(start, call, clock):
    """Which the mail tells."""
    (service,) = start(UsersService, users={"reset_token_seconds": 300})
    call.users.sign_up(**people.SIGN_UP)
    call.users.forgot_password(email="anna@example.com")
    ((reset_id, _),) = people.rows(service, ASKED, type="password_reset_requested")
    answer = call.users.issue_reset_token(reset_id=reset_id)
    assert answer["holds"] == 300
    clock.advance(seconds=300)
    assert refused(call.users.reset_password, token=answer["token"], new_password=NEW)


def test_a_late_mail_has_no_token(users, ask, anna, clock):
    """It would not hold any more."""
    ((reset_id, _),) = ask()
    clock.advance(minutes=15)
    with pytest.raises(NotFound):
        users.issue_reset_token(reset_id=reset_id)


def test_a_changed_password_ends_tokens(users, token, anna):
    """Who has remembered it needs them no more."""
    users.change_password(user_id=anna["id"], current_password=PASSWORD, new_password=NEW)

    assert refused(users.reset_password, token=token, new_password="x" + NEW)


def test_one_reset_ends_the_other_tokens(users, ask, token):
    """A second mail in the box is of no use to anyone."""
    other = users.issue_reset_token(reset_id=ask()[-1][0])["token"]
    users.reset_password(token=token, new_password=NEW)

    assert refused(users.reset_password, token=other, new_password="x" + NEW)


def test_a_weak_password_does_not_use_the_token(users, token):
    """One can try again with a better one."""
    assert refused(users.reset_password, token=token, new_password="password") == "invalid"
    assert users.reset_password(token=token, new_password=NEW).keys() == {"ended"}


@pytest.mark.parametrize("token", ["x", "a" * 43, "é", "", "a" * 513])
def test_what_is_no_token(users, anna, token):
    """Is refused."""
    assert refused(users.reset_password, token=token, new_password=NEW)


def test_nobodys_address_looks_the_same(users, ask, service, anna):
    """One row, one event, no token to be had for it."""
    assert len(ask("anna@example.com")) == 1
    (_, (reset_id, user_id)) = ask("nobody@example.com")
    assert user_id is None
    assert len(people.rows(service, "SELECT 1 FROM password_resets")) == 2
    with pytest.raises(NotFound):
        users.issue_reset_token(reset_id=reset_id)


def test_a_box_is_not_flooded(ask, anna, clock):
    """Three mails at once, then fewer and fewer; nobody is told."""
    clock.stop()
    for _ in range(6):
        asked = ask()
    assert len(asked) == 3
    clock.advance(seconds=1)
    assert len(ask(" ANNA@example.com ")) == 4


def test_a_network_cannot_flood_many_boxes(ask, anna):
    """After twenty it is told to wait."""
    for n in range(20):
        ask(f"{n}@example.com", "192.0.2.1")
    with pytest.raises(TooManyRequests):
        ask("anna@example.com", "192.0.2.1")
    assert ask("anna@example.com", "192.0.2.2")


def test_who_resets_is_let_in(users, token, anna, clock):
    """However hard others guess meanwhile."""
    for n in range(5):
        with pytest.raises(Unauthenticated):
            users.login(email="anna@example.com", password="wrong", network=f"192.0.2.{n}")
    with pytest.raises(TooManyRequests):
        users.login(email="anna@example.com", password=PASSWORD, network="198.51.100.1")
    users.reset_password(token=token, new_password=NEW, network="198.51.100.1")

    assert users.login(email="anna@example.com", password=NEW, network="198.51.100.1")


def test_the_token_is_kept_nowhere(users, service, token):
    """Neither at rest nor in an event; its hash is of no use."""
    kept = [
        people.rows(service, f"SELECT t::text FROM {table} t")
        for table in ("password_resets", "outbox", "throttles")
    ]
    assert token not in str(kept)
    assert len(token) == 43


def test_a_deleted_user_has_no_token(users, ask, anna, admin):
    """Nor can one that was mailed bring the account back."""
    token = users.issue_reset_token(reset_id=ask()[0][0])["token"]
    users.delete(user_id=anna["id"], actor=admin)

    assert refused(users.reset_password, token=token, new_password=NEW) == "reset_token_invalid"


def test_people_are_told_of_another_password(users, service, token):
    """So that who did not do it notices."""
    users.reset_password(token=token, new_password=NEW)

    assert people.rows(service, "SELECT 1 FROM outbox WHERE type = 'password_changed'")
