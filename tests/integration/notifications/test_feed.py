"""Sending, listing and reading notifications."""

import uuid

import eventlet
import pytest

from chassis.errors import Forbidden, Invalid, NotFound
from tests.integration.notifications.conftest import ANN, BOB

AS_ANN = {"user_id": ANN, "role": "customer"}
AS_BOB = {"user_id": BOB, "role": "customer"}
AS_STAFF = {"user_id": str(uuid.uuid4()), "role": "staff"}


@pytest.fixture
def note(send):
    """`note(user_id=...)`: a line in the feed."""

    def write(**changes):
        written = send(channel="in_app", **changes)
        return {name: value for name, value in written.items() if name != "replayed"}

    return write


def test_staff_send_customers_do_not(send):
    """Only staff and the system write to people."""
    assert send(actor=AS_STAFF)["user_id"] == ANN
    with pytest.raises(Forbidden):
        send(actor=AS_ANN)


def test_nobody_is_written_to_who_is_not_there(send, sql):
    """An unknown user is a mistake of the sender, who hears so."""
    with pytest.raises(NotFound) as fault:
        send(user_id=str(uuid.uuid4()))
    assert fault.value.code == "recipient_not_found"
    assert sql("SELECT 1 FROM notifications") == []


def test_the_same_key_is_the_same_message(send, note, sql):
    """One after another and at once; another message under the key is a mistake; others may use
    the same key."""
    answers = list(eventlet.GreenPool(10).imap(lambda _: note(key="a")["id"], range(10)))
    assert len(set(answers)) == 1
    with pytest.raises(Invalid) as fault:
        note(key="a", body="Something else")
    assert fault.value.code == "idempotency_key_reused"
    with pytest.raises(Invalid):
        note(key="a", user_id=BOB)
    assert note(key="a", actor=AS_STAFF)["id"] != answers[0]


def test_a_key_ends_after_a_day(send, sql, clock):
    """The same key is a new message then; old keys are cleaned up, so many at a time."""
    first = send(key="a", channel="in_app")
    clock.advance(seconds=24 * 3600 - 1)
    assert send(key="a", channel="in_app") == first | {"replayed": True}
    clock.advance(seconds=1)
    assert send(key="a", channel="in_app")["id"] != first["id"]
    assert len(sql("SELECT 1 FROM request_keys")) == 1


def test_without_a_key_every_call_is_a_message(note):
    """Two equal messages may both be meant."""
    assert note()["id"] != note()["id"]


def test_a_list_is_newest_first_and_has_pages(notifications, note):
    """Each once, in order, with the fields of the contract."""
    made = [note(subject=str(number)) for number in range(5)][::-1]
    seen, cursor = [], None
    while True:
        page = notifications.list(user_id=ANN, limit=2, cursor=cursor)
        seen += page["items"]
        if not (cursor := page["next"]):
            break
    assert seen == made
    fields = {"id", "user_id", "channel", "subject", "body", "status", "read", "created_at"}
    assert set(seen[0]) == fields | {"failure_code"}


def test_a_page_keeps_its_place(notifications, note):
    """What comes in meanwhile neither repeats nor hides a row."""
    old = [note(subject=str(number))["id"] for number in range(4)][::-1]
    first = notifications.list(user_id=ANN, limit=2)
    note(subject="new")
    second = notifications.list(user_id=ANN, limit=2, cursor=first["next"])
    assert [item["id"] for item in first["items"] + second["items"]] == old


def test_unread_is_a_filter(notifications, note):
    """Read, unread, or both."""
    read, unread = note(), note()
    notifications.mark_read(notification_id=read["id"], read=True)

    def ids(**filters):
        return [item["id"] for item in notifications.list(user_id=ANN, **filters)["items"]]

    assert ids(unread=True) == [unread["id"]]
    assert ids(unread=False) == [read["id"]]
    assert ids() == [unread["id"], read["id"]]


def test_marking_is_undone_the_same_way(notifications, note):
    """Read and unread again."""
    made = note()
    marked = notifications.mark_read(notification_id=made["id"], read=True, actor=AS_ANN)
    assert marked == {**made, "read": True}
    assert notifications.mark_read(notification_id=made["id"], read=False) == made


def test_only_the_owner_and_staff_see_a_notification(notifications, note):
    """For anyone else it does not exist, and cannot be marked."""
    made = note()
    for who in ({"actor": AS_ANN}, {"actor": AS_STAFF}, {}):
        assert notifications.list(user_id=ANN, **who)["items"] == [made]
    stranger = {"notification_id": made["id"], "actor": AS_BOB}
    for refused in (
        lambda: notifications.mark_read(read=True, **stranger),
        lambda: notifications.list(user_id=ANN, actor=AS_BOB),
    ):
        with pytest.raises(NotFound) as fault:
            refused()
        assert fault.value.code == "notification_not_found"
    assert notifications.list(user_id=ANN)["items"] == [made]


@pytest.mark.parametrize("limit", [0, 101, "many"])
def test_a_page_is_bounded(notifications, limit):
    """1 to 100."""
    with pytest.raises(Invalid):
        notifications.list(user_id=ANN, limit=limit)
