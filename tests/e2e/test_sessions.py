"""Sessions over HTTP: what ends them ends what their access tokens can do."""

import eventlet
import pytest

from tests.e2e.client import ADDRESS, PASSWORD, Client
from tests.e2e.shop import another_door
from tests.integration.gateway.listening import Stream
from tests.support import eventually


class Person:
    """Somebody with two sessions: `me` is the one that the test ends, `other` one more."""

    def __init__(self, shop, role="customer"):
        person = shop.customer() if role == "customer" else shop.employee(role)
        self.id, self.me = person.user_id, person
        self.email = person.get("/api/users/profile")["email"]
        self.tokens = person.log_in(self.email)
        self.other = Client(shop.url)
        self.other.log_in(self.email)


def log_out(shop, person):
    body = {"refresh_token": person.tokens["refresh_token"]}
    shop.nobody.post("/api/users/logout", body, 204)


def end_by_hand(shop, person):
    (mine,) = (s for s in person.me.get("/api/users/sessions")["items"] if s["current"])
    person.other.delete(f"/api/users/sessions/{mine['id']}")


def end_the_others(shop, person):
    person.other.delete("/api/users/sessions")


def change_password(shop, person):
    body = {"current_password": PASSWORD, "new_password": "staple battery"}
    person.other.post("/api/users/password", body, 204)


def be_stolen_from(shop, person):
    """The first refresh token comes again after the second was used."""
    first = {"refresh_token": person.tokens["refresh_token"]}
    second = shop.nobody.post("/api/users/token/refresh", first)
    second = {"refresh_token": second["refresh_token"]}
    person.me.token = shop.nobody.post("/api/users/token/refresh", second)["access_token"]
    shop.nobody.post("/api/users/token/refresh", first, 401)


def be_deleted(shop, person):
    shop.admin.delete(f"/api/users/{person.id}")


def be_ended_by_an_admin(shop, person):
    shop.admin.delete(f"/api/users/{person.id}/sessions")


def reset_password(shop, person):
    shop.nobody.post("/api/users/password/forgot", {"email": person.email}, 202)

    def token():
        mails = [path.read_text() for path in shop.outbox.glob("*.eml")]
        mine = (mail for mail in mails if f"To: {person.email}" in mail and "15 minutes" in mail)
        return next((mail.split()[-1] for mail in mine), None)

    body = {"token": eventually(token), "new_password": "staple battery"}
    shop.nobody.post("/api/users/password/reset", body, 204)


ENDS = [
    log_out, end_by_hand, end_the_others, change_password, be_stolen_from, be_deleted,
    be_ended_by_an_admin, reset_password,
]  # fmt: skip


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_an_ended_session_orders_and_pays_nothing(shop, end):
    """At once, at the gateway that was told; reading is over as well."""
    person, product = Person(shop), shop.product()
    me, order = person.me, shop.order(person.me, product)
    end(shop, person)

    body = {"items": [{"product_id": product["id"], "quantity": 1}], "shipping_address": ADDRESS}
    assert me.post("/api/orders", body, 401)["code"] == "session_ended"
    method = {"type": "card", "token": "tok_visa"}
    me.post("/api/payments", {"order_id": order["id"], "method": method}, 401)
    me.post(f"/api/orders/{order['id']}/cancel", {}, 401)
    me.post("/api/carts/add_item", {"product_id": product["id"], "quantity": 1}, 401)
    me.patch("/api/users/profile", {"first_name": "Eve"}, 401)
    me.get(f"/api/orders/{order['id']}", 401)


@pytest.mark.parametrize("end", [log_out, end_by_hand, be_ended_by_an_admin])
def test_an_ended_session_of_staff_sees_nothing(shop, end):
    """Staff are asked for each time, whatever they do."""
    person = Person(shop, "staff")
    person.me.get("/api/admin/checkouts")
    end(shop, person)
    assert person.me.get("/api/admin/checkouts", 401)["code"] == "session_ended"
    assert person.me.get("/api/orders", 401)["code"] == "session_ended"


def test_other_gateways_hear_of_it(shop):
    """Of a logout at one, the other knows a moment later, though it looked just before."""
    person = Person(shop)
    with another_door(shop, sessions={"check_seconds": 30}) as door:
        door.token = person.me.token
        door.patch("/api/users/profile", {"first_name": "Ada"})
        log_out(shop, person)

        def is_refused():
            door.patch("/api/users/profile", {"first_name": "Eve"}, None)
            return door.answer.status_code == 401

        eventually(is_refused)
        door.get("/api/users/profile", 401)


def test_a_lost_broadcast_matters_for_seconds(shop, monkeypatch, clock):
    """A gateway that was not told asks again soon."""
    monkeypatch.setattr("chassis.events.broadcast.Broadcast._send", lambda *args: None)
    person = Person(shop)
    with another_door(shop) as door:
        door.token = person.me.token
        door.patch("/api/users/profile", {"first_name": "Ada"})
        log_out(shop, person)
        door.patch("/api/users/profile", {"first_name": "Eve"})
        clock.advance(seconds=5)
        assert door.patch("/api/users/profile", {}, 401)["code"] == "session_ended"


def test_the_other_session_goes_on(shop):
    """Logging out here is not logging out there; ending the others keeps this one."""
    person = Person(shop)
    log_out(shop, person)
    person.other.patch("/api/users/profile", {"first_name": "Ada"})
    person.other.delete("/api/users/sessions")
    person.other.patch("/api/users/profile", {"first_name": "Ada"})
    (only,) = person.other.get("/api/users/sessions")["items"]
    assert only["current"]


def test_sessions_are_listed(shop):
    """With what one needs to recognise them, and no more."""
    person = Person(shop)
    browser = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    laptop = Client(shop.url)
    login = {"email": person.email, "password": PASSWORD}
    laptop.token = shop.nobody.post("/api/users/login", login, headers={"User-Agent": browser})[
        "access_token"
    ]
    sessions = laptop.get("/api/users/sessions")["items"]
    assert len(sessions) == 4
    (current,) = (session for session in sessions if session["current"])
    assert sessions[0] == current
    assert (current["client"], current["network"]) == ("Firefox on Linux", "127.0.0.0/24")
    assert current["created_at"] <= current["last_used_at"] < current["expires_at"]


def test_somebody_elses_session_is_not_found(shop):
    """Nor can anybody but an admin end those of others."""
    me, other = shop.customer(), shop.customer()
    (theirs,) = other.get("/api/users/sessions")["items"]
    me.delete(f"/api/users/sessions/{theirs['id']}", 404)
    me.delete(f"/api/users/{other.user_id}/sessions", 403)
    shop.employee("staff").delete(f"/api/users/{other.user_id}/sessions", 403)
    other.patch("/api/users/profile", {"first_name": "Ada"})


def test_a_stream_ends_with_its_session(shop):
    """Its last event says why."""
    person = Person(shop)
    stream = Stream(shop.url.removeprefix("http://"), person.me.token).head()
    assert stream.events(1)[0].event == "ready"
    log_out(shop, person)
    (end,) = stream.events(2)
    assert (end.event, end.data) == ("end", {"reason": "session_ended"})
    stream.close()


def test_a_stream_ends_though_nobody_told(shop, monkeypatch):
    """The gateway looks up now and then whether the sessions of its streams go on."""
    monkeypatch.setattr("chassis.events.broadcast.Broadcast._send", lambda *args: None)
    person = Person(shop)
    with another_door(shop, live={"catch_up_seconds": 0.2}) as door:
        stream = Stream(door.url.removeprefix("http://"), person.me.token).head()
        stream.events(1)
        log_out(shop, person)
        (end,) = stream.events(2)
        assert (end.event, end.data) == ("end", {"reason": "session_ended"})
        stream.close()


def test_a_logout_and_a_refresh_at_the_same_instant(shop):
    """Whichever is first: in the end no token of the session changes anything."""
    for _ in range(5):
        person = Person(shop)
        body = {"refresh_token": person.tokens["refresh_token"]}

        def refresh(body=body):
            return Client(shop.url).post("/api/users/token/refresh", body, None)

        def leave(body=body):
            return Client(shop.url).post("/api/users/logout", body, 204)

        threads = [eventlet.spawn(run) for run in (refresh, leave, refresh)]
        answers = [thread.wait() for thread in threads]
        tokens = [
            answer["access_token"] for answer in answers if answer and "access_token" in answer
        ]
        for token in (person.me.token, *tokens):
            Client(shop.url, token).patch("/api/users/profile", {"first_name": "Eve"}, 401)
