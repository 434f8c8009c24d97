"""E-mail addresses and their confirmation, over RPC on a real database."""

import uuid

import eventlet
import pytest
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.errors import Conflict, Forbidden, Invalid, NotFound, TooManyRequests, Unauthenticated
from tests.integration.users import people
from tests.integration.users.people import ADDRESS, PASSWORD
from tests.support import until_rival_waits
from users import store as user_store
from users.passwords import resets
from users.verification import store as verification_store

NEW = "staple battery"
THERE = {"email": "new@example.com", "current_password": PASSWORD, "partial": True}
NETWORK = "192.0.2.1"


@pytest.fixture
def told(service):
    """`told(type)`: the payloads of the events of a type, oldest first."""
    query = "SELECT payload FROM outbox WHERE type = :type ORDER BY id"
    return lambda type: [payload for (payload,) in people.rows(service, query, type=type)]


@pytest.fixture
def mailed(users, told):
    """`mailed()`: token and address of the mail that was asked for last."""

    def last():
        event = told("email_verification_requested")[-1]
        return users.issue_verification_token(verification_id=event["verification_id"])

    return last


@pytest.fixture
def ben(users):
    """Somebody who has signed up just now."""
    return users.sign_up(email="ben@example.com", username="ben", password=PASSWORD)


def refused(users, token, **more):
    with pytest.raises(Invalid) as caught:
        users.verify_email(token=token, **more)
    assert list(caught.value.errors) == ["token"]
    return caught.value.code == "verification_token_invalid"


def state(users, user):
    user = users.get(user_id=user["id"])
    return user["email"], user["email_verified"], user["pending_email"]


def test_a_new_address_is_not_confirmed(users, ben):
    """The account works, and nobody is told the address."""
    assert state(users, ben) == ("ben@example.com", False, None)
    assert users.login(email="ben@example.com", password=PASSWORD)
    (contact,) = users.contacts(user_ids=[ben["id"]])["items"]
    assert (contact["email"], contact["email_verified"]) == (None, False)


def test_the_token_of_the_mail_confirms_it(users, ben, mailed):
    """It goes to that very address; the version tells that the account is another one."""
    mail = mailed()
    assert mail["email"] == "ben@example.com"

    assert users.verify_email(token=mail["token"]) is None

    assert state(users, ben) == ("ben@example.com", True, None)
    assert users.get(user_id=ben["id"])["version"] == ben["version"] + 1
    assert users.contacts(user_ids=[ben["id"]])["items"][0]["email"] == "ben@example.com"


def test_a_token_holds_once(users, ben, mailed):
    """Also when it comes several times at the same instant."""
    token = mailed()["token"]

    def verify(_):
        try:
            users.verify_email(token=token)
        except Invalid as fault:
            return fault.code
        return "done"

    answers = sorted(eventlet.GreenPool().imap(verify, range(4)))

    assert answers == ["done"] + ["verification_token_invalid"] * 3
    assert refused(users, token)


def test_a_token_holds_for_a_day(users, ben, mailed, clock):
    """From the request on, not from the mail; another one can be had."""
    token = mailed()["token"]
    clock.advance(hours=24)
    assert refused(users, token)
    with pytest.raises(NotFound):
        mailed()
    users.request_email_verification(user_id=ben["id"])
    users.verify_email(token=mailed()["token"])
    assert state(users, ben)[1]


def test_another_mail_ends_the_token_of_the_one_before(users, ben, mailed, told):
    """As a repeat of the same mail does."""
    first = mailed()["token"]
    again = mailed()["token"]
    assert refused(users, first)
    users.request_email_verification(user_id=ben["id"])
    assert len(told("email_verification_requested")) == 2
    assert refused(users, again)
    users.verify_email(token=mailed()["token"])


@pytest.mark.parametrize("token", ["x", "a" * 43, "é", "", "a" * 513])
def test_what_is_no_token(users, ben, token):
    """Is refused."""
    with pytest.raises(Invalid):
        users.verify_email(token=token)


def test_tokens_are_not_guessed(users, ben, mailed):
    """After twenty that do not hold a network has to wait; right ones do not count, and elsewhere
    nobody waits."""
    for _ in range(19):
        assert refused(users, "a" * 43, network=NETWORK)
    users.verify_email(token=mailed()["token"], network=NETWORK)
    assert refused(users, "a" * 43, network=NETWORK)
    with pytest.raises(TooManyRequests) as caught:
        users.verify_email(token="a" * 43, network=NETWORK)
    assert caught.value.data["retry_after"] >= 1
    assert refused(users, "a" * 43, network="192.0.2.2")


def test_mails_for_one_user_are_bounded(users, ben, told, clock):
    """The first ones come at once, then fewer and fewer."""
    clock.stop()
    users.request_email_verification(user_id=ben["id"])
    users.request_email_verification(user_id=ben["id"])
    with pytest.raises(TooManyRequests):
        users.request_email_verification(user_id=ben["id"])
    assert len(told("email_verification_requested")) == 3
    clock.advance(seconds=1)
    users.request_email_verification(user_id=ben["id"])


def test_one_address_is_not_flooded_from_many_accounts(users, told, clock):
    """Whoever claims it, in whatever case: it gets three mails, and the owner can still sign up."""
    clock.stop()
    for n in range(5):
        user = users.sign_up(email=f"user{n}@example.com", password=PASSWORD)["id"]
        claim = THERE | {"email": ("Ben@example.com", "ben@EXAMPLE.com")[n % 2]}
        if n < 3:
            assert users.update(user_id=user, **claim)["pending_email"]
        else:
            with pytest.raises(TooManyRequests):
                users.update(user_id=user, **claim)
    before = len(told("email_verification_requested"))
    ben = users.sign_up(email="ben@example.com", password=PASSWORD)
    assert len(told("email_verification_requested")) == before
    clock.advance(hours=1)
    users.request_email_verification(user_id=ben["id"])
    assert len(told("email_verification_requested")) == before + 1


def test_who_has_confirmed_has_nothing_to_ask_for(users, anna):
    """A conflict that says so."""
    with pytest.raises(Conflict) as caught:
        users.request_email_verification(user_id=anna["id"])
    assert caught.value.code == "already_verified"


def test_another_address_counts_once_it_is_confirmed(users, anna, mailed, told):
    """Until then the old one opens the account and gets the mails; it is told of both."""
    changed = users.update(user_id=anna["id"], **THERE)
    assert (changed["email"], changed["pending_email"]) == ("anna@example.com", "new@example.com")
    assert changed["email_verified"]
    assert users.login(email="anna@example.com", password=PASSWORD)
    with pytest.raises(Unauthenticated):
        users.login(email="new@example.com", password=PASSWORD)
    assert users.contacts(user_ids=[anna["id"]])["items"][0]["email"] == "anna@example.com"
    assert told("email_change_requested") == [{"user_id": anna["id"]}]
    assert told("email_changed") == []
    mail = mailed()
    assert mail["email"] == "new@example.com"

    users.verify_email(token=mail["token"])

    assert state(users, anna) == ("new@example.com", True, None)
    assert users.login(email="new@example.com", password=PASSWORD)
    (event,) = told("email_changed")
    assert event["user_id"] == anna["id"]
    assert users.old_email(change_id=event["change_id"]) == {"email": "anna@example.com"}


def test_the_old_address_is_forgotten(users, anna, mailed, told, clock, service):
    """After a week, or with the user."""
    users.update(user_id=anna["id"], **THERE)
    users.verify_email(token=mailed()["token"])
    (event,) = told("email_changed")
    clock.advance(days=7)
    with pytest.raises(NotFound):
        users.old_email(change_id=event["change_id"])
    users.update(user_id=anna["id"], **THERE | {"email": "newer@example.com"})
    users.verify_email(token=mailed()["token"])
    users.update(user_id=anna["id"], **THERE | {"email": "newest@example.com"})
    users.delete(user_id=anna["id"])
    left = "SELECT count(*) FROM users WHERE email_verified OR num_nonnulls(email, pending_email)>0"
    for query in (left, "SELECT count(*) FROM email_verifications", "SELECT 0 FROM email_changes"):
        assert people.rows(service, query) in ([(0,)], [])


def test_a_second_change_ends_the_first(users, anna, mailed):
    """Only the last address can be confirmed."""
    users.update(user_id=anna["id"], **THERE)
    first = mailed()["token"]
    users.update(user_id=anna["id"], **THERE | {"email": "newer@example.com"})
    assert refused(users, first)
    users.verify_email(token=mailed()["token"])
    assert state(users, anna) == ("newer@example.com", True, None)


def test_a_change_is_given_up_by_the_present_address(users, anna, mailed):
    """Nothing waits any more, and the token is dead."""
    users.update(user_id=anna["id"], **THERE)
    token = mailed()["token"]
    users.update(user_id=anna["id"], partial=True, email="Anna@example.com")
    assert state(users, anna) == ("Anna@example.com", True, None)
    assert refused(users, token)


def test_who_has_not_confirmed_can_correct_the_address(users, ben, mailed, told):
    """The first one, perhaps a stranger's, is not kept to be told."""
    mistyped = mailed()["token"]
    users.update(user_id=ben["id"], **THERE)
    assert refused(users, mistyped)
    assert state(users, ben) == ("ben@example.com", False, "new@example.com")
    users.verify_email(token=mailed()["token"])
    assert state(users, ben) == ("new@example.com", True, None)
    assert told("email_changed") == [{"change_id": None, "user_id": ben["id"]}]


def test_an_address_goes_to_who_confirms_first(users, anna, ben, mailed, admin):
    """The other one meets a conflict, and keeps the old address."""
    users.update(user_id=anna["id"], **THERE)
    anna_token = mailed()["token"]
    users.mark_email_verified(user_id=ben["id"], actor=admin)
    users.update(user_id=ben["id"], **THERE)
    users.verify_email(token=mailed()["token"])
    with pytest.raises(Conflict) as caught:
        users.verify_email(token=anna_token)
    assert caught.value.data["field"] == "email"
    assert state(users, anna) == ("anna@example.com", True, "new@example.com")


@pytest.fixture
def reset_token(users, told):
    """`reset_token(email)`: a token for a new password, as the mail has it."""

    def ask(email):
        users.forgot_password(email=email)
        reset_id = told("password_reset_requested")[-1]["reset_id"]
        answer = users.issue_reset_token(reset_id=reset_id)
        assert answer["email"].lower() == email.lower()
        return answer["token"]

    return ask


def dead(users, token):
    with pytest.raises(Invalid) as caught:
        users.reset_password(token=token, new_password=NEW)
    return caught.value.code == "reset_token_invalid"


def test_mailed_tokens_end_with_the_address(users, anna, reset_token, mailed):
    """Whoever still reads the old box gets in no more: neither by a token from before the change
    was asked for, nor by one from before it was confirmed."""
    before = reset_token("anna@example.com")
    users.update(user_id=anna["id"], **THERE)
    assert dead(users, before)
    meanwhile = reset_token("anna@example.com")
    users.verify_email(token=mailed()["token"])
    assert dead(users, meanwhile)


def test_mailed_tokens_end_with_the_password(users, anna, reset_token, mailed):
    """And so does a change of the address that whoever knew the password had asked for."""
    users.update(user_id=anna["id"], **THERE)
    token = mailed()["token"]
    users.change_password(user_id=anna["id"], current_password=PASSWORD, new_password=NEW)
    assert refused(users, token)
    assert state(users, anna) == ("anna@example.com", True, None)

    users.update(user_id=anna["id"], **THERE | {"current_password": NEW})
    token = mailed()["token"]
    users.reset_password(token=reset_token("anna@example.com"), new_password=PASSWORD)
    assert refused(users, token)
    assert state(users, anna) == ("anna@example.com", True, None)


def test_mailed_tokens_end_with_the_role(users, anna, reset_token, mailed):
    """A token that was good for a customer is not good for an admin."""
    reset = reset_token("anna@example.com")
    users.update(user_id=anna["id"], **THERE)
    token, reset = mailed()["token"], reset_token("anna@example.com")
    users.update(user_id=anna["id"], partial=True, role="admin")
    assert refused(users, token)
    assert dead(users, reset)
    assert users.get(user_id=anna["id"])["pending_email"] is None


def test_the_same_role_again_ends_nothing(users, anna, reset_token):
    """It is no change."""
    token = reset_token("anna@example.com")
    users.update(user_id=anna["id"], partial=True, role="customer")
    assert users.reset_password(token=token, new_password=NEW) == {"ended": []}


def test_a_reset_of_an_account_that_is_not_confirmed_takes_it_over(
    users, reset_token, mailed, told, service
):
    """The owner of the address comes in, and finds nothing of who had signed up with it."""
    account = {"email": "ben@example.com", "username": "mallory", "password": "wrong horse riding"}
    person = {"first_name": "Mal", "last_name": "Lory", "phone": "+43 1 234567"}
    user = users.sign_up(**account, **person, address=ADDRESS, network=NETWORK)
    tokens = users.login(email=account["email"], password=account["password"], network=NETWORK)
    users.update(
        user_id=user["id"], **THERE | {"current_password": account["password"]}
    )  # to an address of hers
    hers = mailed()["token"]

    users.reset_password(token=reset_token("ben@example.com"), new_password=NEW, network="::1")

    now = users.get(user_id=user["id"])
    assert (now["email"], now["email_verified"], now["pending_email"]) == (
        "ben@example.com", True, None,
    )  # fmt: skip
    assert [now[name] for name in ("username", "first_name", "last_name", "phone")] == [None] * 4
    assert users.list_addresses(user_id=user["id"])["items"] == []
    assert people.rows(service, "SELECT count(*) FROM known_networks") == [(1,)]
    assert told("account_recovered") == [{"user_id": user["id"]}]
    assert refused(users, hers)
    with pytest.raises(Unauthenticated):
        users.refresh(refresh_token=tokens["refresh_token"])
    with pytest.raises(Unauthenticated):
        users.login(email=account["email"], password=account["password"])


def test_a_reset_of_a_confirmed_account_forgets_nothing(users, anna, reset_token, told):
    """It is the owner's."""
    users.add_address(user_id=anna["id"], **ADDRESS)
    users.reset_password(token=reset_token("anna@example.com"), new_password=NEW)
    assert users.get(user_id=anna["id"])["username"] == "anna"
    assert len(users.list_addresses(user_id=anna["id"])["items"]) == 1
    assert told("account_recovered") == []


def test_confirming_while_the_password_is_reset(users, service, ben, mailed, reset_token):
    """Whatever comes first: the address is confirmed, and neither waits for the other for ever."""
    token, reset = mailed()["token"], reset_token("ben@example.com")

    def verify():
        try:
            users.verify_email(token=token)
        except Invalid:
            return

    pair = [
        eventlet.spawn(verify),
        eventlet.spawn(users.reset_password, token=reset, new_password=NEW),
    ]
    for thread in pair:
        thread.wait()
    assert state(users, ben)[1]
    assert users.login(email="ben@example.com", password=NEW)


def test_a_reset_waits_for_a_change_of_the_address(users, service, anna, reset_token):
    """At the same instant: the user's lock comes first for both, so neither is a deadlock."""
    token, user_id = reset_token("anna@example.com"), uuid.UUID(anna["id"])

    with people.database(service) as connection:
        session = Session(connection)
        user_store.lock(session, user_id)
        rival = eventlet.spawn(dead, users, token)
        until_rival_waits(session)
        resets.forget(session, user_id)
    assert rival.wait()


def test_an_admin_or_operator_can_answer_for_an_address(users, ben, anna, admin):
    """At the making of the account, or later; nobody else can."""
    assert users.mark_email_verified(user_id=ben["id"], actor=admin)["email_verified"]
    sure = users.create(email="x@example.com", password=PASSWORD, email_verified=True, actor=admin)
    unsure = users.create(email="y@example.com", password=PASSWORD, actor=admin)
    assert (sure["email_verified"], unsure["email_verified"]) == (True, False)
    own = {"user_id": anna["id"], "role": "staff"}
    with pytest.raises(Forbidden):
        users.mark_email_verified(user_id=ben["id"], actor=own)
    with pytest.raises(Invalid):
        users.sign_up(email="z@example.com", password=PASSWORD, email_verified=True)


def test_an_admins_correction_is_confirmed_as_well(users, anna, admin, mailed):
    """What an admin mistypes is a stranger's."""
    changed = users.update(user_id=anna["id"], partial=True, email="new@example.com", actor=admin)
    assert (changed["email"], changed["pending_email"]) == ("anna@example.com", "new@example.com")
    users.verify_email(token=mailed()["token"])
    assert state(users, anna) == ("new@example.com", True, None)


def test_the_token_is_kept_nowhere(users, service, ben, mailed):
    """Neither at rest nor in an event, and the address in no event."""
    token = mailed()["token"]
    tables = ("email_verifications", "outbox", "throttles")
    kept = [people.rows(service, f"SELECT t::text FROM {table} t") for table in tables]
    assert token not in str(kept)
    assert "ben@example.com" not in str(kept[1:])
    assert len(token) == 43


def test_what_is_over_is_forgotten(users, service, ben, mailed, clock):
    """The rows of expired requests go; the account stays as it is."""
    clock.advance(hours=24)
    with people.database(service) as connection:
        session = Session(connection)
        verification_store.purge(session, Clock.source())
        session.flush()
    assert people.rows(service, "SELECT count(*) FROM email_verifications") == [(0,)]
    assert state(users, ben) == ("ben@example.com", False, None)
