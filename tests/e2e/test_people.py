"""Accounts over HTTP: sign-up, sessions, profiles, addresses, administration."""

import uuid

from tests.e2e.client import ADDRESS, PASSWORD, Client, new_email
from tests.support import eventually

CONFIRM, RESET = "Confirm your email address", "Reset your password"


def test_from_sign_up_to_log_out(shop):
    """An account is made, its tokens work, are renewed, and end with the session."""
    email = new_email()
    account = {"email": email, "password": PASSWORD, "first_name": "Ada", "address": ADDRESS}
    user = shop.nobody.post("/api/users/signup", account, 201)
    assert (user["email"], user["role"], user["first_name"]) == (email, "customer", "Ada")

    me = Client(shop.url)
    tokens = me.log_in(email)
    assert me.get("/api/users/profile")["id"] == user["id"]
    assert me.get("/api/users/addresses")["items"][0]["line1"] == ADDRESS["line1"]

    renewed = me.post("/api/users/token/refresh", {"refresh_token": tokens["refresh_token"]})
    assert renewed["refresh_token"] != tokens["refresh_token"]
    me.token = renewed["access_token"]
    me.get("/api/users/profile")
    me.post("/api/users/logout", {"refresh_token": renewed["refresh_token"]}, 204)
    ended = {"refresh_token": renewed["refresh_token"]}
    assert me.post("/api/users/token/refresh", ended, 401)["code"] == "session_ended"


def test_a_wrong_password_and_an_unknown_user_look_the_same(shop):
    """Nobody learns who has an account."""
    customer = shop.customer()
    email = customer.get("/api/users/profile")["email"]
    seen = set()
    for name in (email, new_email()):
        body = {"email": name, "password": "wrong-Passw0rd"}
        problem = shop.nobody.post("/api/users/login", body, 401)
        seen.add((problem["code"], problem["title"], problem["detail"]))
    assert len(seen) == 1


def test_an_email_address_has_one_account(shop):
    """The second sign-up is a conflict."""
    email = shop.customer().get("/api/users/profile")["email"]
    again = {"email": email.upper(), "password": PASSWORD}
    assert shop.nobody.post("/api/users/signup", again, 409)["code"] == "already_exists"


def test_a_profile_is_replaced_or_changed(shop):
    """PUT empties what is not given, PATCH leaves it; the role is not one's own to set."""
    me = shop.customer(first_name="Ada", last_name="Byron")
    changed = me.patch("/api/users/profile", {"last_name": "Lovelace"})
    assert (changed["first_name"], changed["last_name"]) == ("Ada", "Lovelace")
    replaced = me.put("/api/users/profile", {"first_name": "Augusta"})
    assert (replaced["first_name"], replaced["last_name"]) == ("Augusta", None)
    assert "role" in me.patch("/api/users/profile", {"role": "admin"}, 422)["errors"]


def test_changing_the_password(shop):
    """With the present one; then only the new one opens, and old sessions have ended."""
    me = shop.customer()
    email = me.get("/api/users/profile")["email"]
    tokens = me.log_in(email)
    wrong = {"current_password": "wrong horse", "new_password": "staple battery"}
    assert "current_password" in me.post("/api/users/password", wrong, 422)["errors"]
    me.post("/api/users/password", wrong | {"current_password": PASSWORD}, 204)
    me.post("/api/users/token/refresh", {"refresh_token": tokens["refresh_token"]}, 401)
    me.post("/api/users/login", {"email": email, "password": PASSWORD}, 401)
    me.post("/api/users/login", {"email": email, "password": "staple battery"})


def test_an_address_book(shop):
    """Added, read, replaced, made the default, deleted."""
    me = shop.customer()
    first = me.post("/api/users/addresses", ADDRESS, 201)
    assert me.answer.headers["Location"] == f"/api/users/addresses/{first['id']}"
    second = me.post("/api/users/addresses", ADDRESS | {"city": "Breda", "default": True}, 201)
    assert [a["default"] for a in me.get("/api/users/addresses")["items"]] == [True, False]
    path = f"/api/users/addresses/{first['id']}"
    moved = me.put(path, ADDRESS | {"city": "Delft", "default": True})
    assert (moved["city"], moved["default"]) == ("Delft", True)
    assert me.get(f"/api/users/addresses/{second['id']}")["default"] is False
    me.delete(path)
    me.get(path, 404)


def test_admins_keep_the_accounts(shop):
    """Listed with a search, made with a role, changed, deleted."""
    name = uuid.uuid4().hex[:12]
    account = {"email": new_email(), "password": PASSWORD, "username": name, "role": "staff"}
    user = shop.admin.post("/api/users", account, 201)
    path = f"/api/users/{user['id']}"
    assert shop.admin.answer.headers["Location"] == path
    found = shop.admin.get(f"/api/users?search={name}&role=staff")["items"]
    assert [one["id"] for one in found] == [user["id"]]
    changed = shop.admin.patch(path, {"first_name": "Grace", "role": "customer"})
    assert (changed["first_name"], changed["role"]) == ("Grace", "customer")
    replaced = shop.admin.put(path, {"last_name": "Hopper"})
    assert (replaced["first_name"], replaced["last_name"]) == (None, "Hopper")
    shop.admin.delete(path)
    shop.admin.get(path, 404)


def test_the_users_are_paged(shop):
    """Each exactly once, over as many pages as it takes."""
    for _ in range(3):
        shop.customer()
    ids = [user["id"] for user in shop.admin.pages("/api/users?limit=2")]
    assert len(ids) == len(set(ids)) >= 3


def test_only_public_keys_are_published(shop):
    """What verifies tokens, nothing that signs them."""
    shop.customer()
    keys = shop.nobody.get("/.well-known/jwks.json")["keys"]
    assert keys
    assert not any("d" in key for key in keys)


def test_a_forgotten_password(shop):
    """The mail has a token that gives another one, once, and ends all sessions; the answer is the
    same for anybody."""
    me = shop.customer()
    email = me.get("/api/users/profile")["email"]
    session = {"refresh_token": me.log_in(email)["refresh_token"]}
    for name in (new_email(), email, "nobody at all"):
        shop.nobody.post("/api/users/password/forgot", {"email": name}, 202)

    token = shop.token(email, RESET)
    assert "15 minutes" in dict(shop.mails(email))[RESET]
    reset = {"token": token, "new_password": "staple battery"}
    shop.nobody.post("/api/users/password/reset", reset, 204)
    shop.nobody.post("/api/users/token/refresh", session, 401)
    again = shop.nobody.post("/api/users/password/reset", reset, 422)
    assert (again["code"], set(again["errors"])) == ("reset_token_invalid", {"token"})
    me.post("/api/users/login", {"email": email, "password": PASSWORD}, 401)
    login = {"email": email, "password": "staple battery"}
    me.token = me.post("/api/users/login", login)["access_token"]
    feed = me.get("/api/notifications")["items"]
    assert any("password" in item["subject"] for item in feed)
    assert reset["token"] not in str(feed)


def test_guessing_is_stopped(shop):
    """After a few wrong passwords one waits, told for how long; whose address it is does not
    matter, and elsewhere people sign in as ever."""
    for email in (shop.customer().get("/api/users/profile")["email"], new_email()):
        wrong = {"email": email, "password": "wrong horse"}
        statuses = []
        while 429 not in statuses:
            shop.nobody.post("/api/users/login", wrong, None)
            statuses.append(shop.nobody.answer.status_code)
            assert len(statuses) <= 11
        assert set(statuses[:-1]) == {401}
        assert int(shop.nobody.answer.headers["Retry-After"]) >= 1
    shop.customer()


def test_an_old_version_of_a_person_is_not_written_over(shop):
    """Profile, account and address: 412 for who looked before somebody else wrote."""
    me = shop.customer(address=ADDRESS)
    address = me.get("/api/users/addresses")["items"][0]["id"]
    for client, path, body in (
        (me, "/api/users/profile", {"first_name": "Ada"}),
        (shop.admin, f"/api/users/{me.user_id}", {"first_name": "Grace"}),
        (me, f"/api/users/addresses/{address}", ADDRESS),
    ):
        client.get(path)
        seen = {"If-Match": client.answer.headers["ETag"]}
        client.put(path, body, headers=seen)
        client.put(path, body, 412, headers=seen)
        client.put(path, body, headers={"If-Match": "*"})


def test_a_stolen_refresh_token_ends_the_session(shop):
    """Whoever comes with one from before the last: the thief's and the owner's are over, the
    owner's other session is not."""
    me = shop.customer(username=f"ada{uuid.uuid4().hex[:8]}")
    profile = me.get("/api/users/profile")
    other = me.log_in(profile["email"])["refresh_token"]
    by_name = {"username": profile["username"], "password": PASSWORD}
    tokens = me.post("/api/users/login", by_name)
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)

    def renew(token, expect=200):
        return me.post("/api/users/token/refresh", {"refresh_token": token}, expect)

    second = renew(tokens["refresh_token"])["refresh_token"]
    third = renew(second)["refresh_token"]
    assert renew(tokens["refresh_token"], 401)["code"] == "session_ended"
    renew(third, 401)
    renew(other)


def test_who_is_deleted_has_no_name_any_more_and_their_orders_stay(shop):
    """Nobody can log in or stay so; staff still see what was bought, and whose id it was."""
    me, staff = shop.customer(first_name="Ada"), shop.employee("staff")
    email = me.get("/api/users/profile")["email"]
    session = {"refresh_token": me.log_in(email)["refresh_token"]}
    order = shop.order(me, shop.product())
    shop.admin.delete(f"/api/users/{me.user_id}")
    assert staff.get(f"/api/orders/{order['id']}")["user_id"] == me.user_id
    shop.admin.get(f"/api/users/{me.user_id}", 404)
    assert shop.admin.get(f"/api/users?search={email}")["items"] == []
    shop.nobody.post("/api/users/login", {"email": email, "password": PASSWORD}, 401)
    shop.nobody.post("/api/users/token/refresh", session, 401)
    assert me.get("/api/users/profile", 401)["code"] == "session_ended"
    me.get("/api/orders", 401)
    shop.nobody.post("/api/users/signup", {"email": email, "password": PASSWORD}, 201)


def test_an_address_is_confirmed_by_mail(shop):
    """Signed up, told of nothing else, confirmed with the token of the mail, once; then mails
    come."""
    me = shop.stranger()
    profile = me.get("/api/users/profile")
    assert (profile["email_verified"], profile["pending_email"]) == (False, None)
    shop.pay(me, shop.order(me, shop.product()))
    confirm = {"token": shop.token(profile["email"], CONFIRM)}
    feed = eventually(lambda: closed(me, 4))
    assert confirm["token"] not in str(feed)
    by_mail = [one for one in feed if one["channel"] == "email"]
    unsent = [one for one in by_mail if one["status"] == "skipped"]
    assert {one["failure_code"] for one in unsent} == {"email_unverified"}
    assert [one["subject"] for one in by_mail if one["status"] == "sent"] == [CONFIRM]

    me.post("/api/users/email/verification", None, 202)
    newer = eventually(
        lambda: len(shop.mails(profile["email"])) == 2 and shop.mails(profile["email"])
    )
    assert {subject for subject, _ in newer} == {CONFIRM}
    refused = shop.nobody.post("/api/users/email/verify", confirm, 422)
    assert (refused["code"], set(refused["errors"])) == ("verification_token_invalid", {"token"})
    confirm = {"token": shop.token(profile["email"], CONFIRM)}
    shop.nobody.post("/api/users/email/verify", confirm, 204)
    shop.nobody.post("/api/users/email/verify", confirm, 422)
    assert me.get("/api/users/profile")["email_verified"]
    again = me.post("/api/users/email/verification", None, 409)
    assert again["code"] == "already_verified"
    order = shop.order(me, shop.product())
    name = order["number"]
    eventually(lambda: any(name in subject for subject, _ in shop.mails(profile["email"])))


def closed(person, count):
    """The feed, once so many mails are out or given up."""
    feed = person.get("/api/notifications?limit=100")["items"]
    mails = [one for one in feed if one["channel"] == "email"]
    done = len(mails) >= count and all(one["status"] != "pending" for one in mails)
    return feed if done else None


def test_a_stranger_is_not_written_to(shop):
    """Whoever signs up with somebody's address makes the shop send one mail there, whatever they
    order and cancel."""
    mallory, product = shop.stranger(), shop.product()
    address = mallory.get("/api/users/profile")["email"]
    for _ in range(5):
        order = shop.order(mallory, product)
        mallory.post(f"/api/orders/{order['id']}/cancel", {})
    eventually(lambda: closed(mallory, 12))
    assert [subject for subject, _ in shop.mails(address)] == [CONFIRM]


def test_the_owner_of_an_address_gets_the_account_and_nothing_of_the_strangers(shop):
    """A new password by mail shows whose address it is: names, addresses, cart, unpaid orders and
    sessions of who had signed up with it are gone."""
    mallory, product = shop.stranger(first_name="Mal", address=ADDRESS), shop.product()
    address = mallory.get("/api/users/profile")["email"]
    session = {"refresh_token": mallory.log_in(address)["refresh_token"]}
    mallory.post("/api/carts/add_item", {"product_id": product["id"], "quantity": 1})
    order = shop.order(mallory, product)
    shop.nobody.post("/api/users/password/forgot", {"email": address}, 202)
    reset = {"token": shop.token(address, RESET), "new_password": "staple battery"}
    shop.nobody.post("/api/users/password/reset", reset, 204)

    owner = Client(shop.url)
    tokens = owner.post("/api/users/login", {"email": address, "password": "staple battery"})
    owner.token = tokens["access_token"]
    profile = owner.get("/api/users/profile")
    assert (profile["email_verified"], profile["first_name"]) == (True, None)
    assert owner.get("/api/users/addresses")["items"] == []
    shop.nobody.post("/api/users/token/refresh", session, 401)
    eventually(lambda: owner.get("/api/carts")["items"] == [])
    path = f"/api/orders/{order['id']}"
    eventually(lambda: owner.get(path)["status"] == "cancelled")


def test_another_address(shop):
    """It counts once it is confirmed; the old one is told before and after, and mailed tokens of
    before are dead."""
    me, new = shop.customer(), new_email()
    old = me.get("/api/users/profile")["email"]
    shop.nobody.post("/api/users/password/forgot", {"email": old}, 202)
    reset = {"token": shop.token(old, RESET), "new_password": "staple battery"}
    change = {"email": new}
    assert "current_password" in me.patch("/api/users/profile", change, 422)["errors"]
    changed = me.patch("/api/users/profile", change | {"current_password": PASSWORD})
    assert (changed["email"], changed["pending_email"]) == (old, new)
    assert (
        shop.nobody.post("/api/users/password/reset", reset, 422)["code"] == "reset_token_invalid"
    )
    shop.nobody.post("/api/users/email/verify", {"token": shop.token(new, CONFIRM)}, 204)
    profile = me.get("/api/users/profile")
    assert (profile["email"], profile["email_verified"], profile["pending_email"]) == (
        new, True, None,
    )  # fmt: skip
    told = {"Request to change your email address", "Your email address was changed"}
    eventually(lambda: told <= {subject for subject, _ in shop.mails(old)})
    assert {subject for subject, _ in shop.mails(new)} == {CONFIRM}
    assert new not in str(shop.mails(old))
    me.log_in(new)


def test_the_password_of_the_sample_accounts_opens_nothing_here(shop):
    """Nobody can take it, and this is no demo."""
    for password in ("demo-Passw0rd", "Summer2026!", "shop2026"):
        account = {"email": new_email(), "password": password}
        assert "password" in shop.nobody.post("/api/users/signup", account, 422)["errors"]
        assert "password" in shop.admin.post("/api/users", account, 422)["errors"]
