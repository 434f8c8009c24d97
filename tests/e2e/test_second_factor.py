"""The second factor and the audit trail over HTTP."""

import pyotp
import pytest

from tests.e2e.client import PASSWORD
from tests.support import eventually


def email_of(client):
    return client.get("/api/users/profile")["email"]


def enrolled(client, password=PASSWORD):
    """The generator of codes, and the recovery codes, of somebody who has enrolled."""
    secret = client.post("/api/users/totp", {"current_password": password})["secret"]
    generator = pyotp.TOTP(secret)
    body = {"code": generator.now()}
    return generator, client.post("/api/users/totp/confirm", body)["recovery_codes"]


def test_from_enrolment_to_giving_up(shop):
    """Password and code from then on; a recovery code stands in; then the password alone again."""
    me = shop.customer()
    login = {"email": email_of(me), "password": PASSWORD}
    assert me.get("/api/users/totp") == {
        "enabled": False, "required": False, "recovery_codes_left": 0,
    }  # fmt: skip
    assert (
        "current_password" in me.post("/api/users/totp", {"current_password": "x"}, 422)["errors"]
    )
    generator, recovery_codes = enrolled(me)
    assert me.post("/api/users/totp", {"current_password": PASSWORD}, 409)["code"] == "totp_enabled"

    problem = shop.nobody.post("/api/users/login", login, 401)
    assert problem["code"] == "totp_required"
    answer = {"challenge": problem["challenge"], "code": "000000"}
    assert shop.nobody.post("/api/users/login/totp", answer, 401)["code"] == "totp_failed"
    used = answer | {"code": generator.now()}  # it confirmed
    assert shop.nobody.post("/api/users/login/totp", used, 401)["code"] == "totp_failed"
    tokens = shop.nobody.post("/api/users/login/totp", answer | {"code": recovery_codes[0]})
    assert tokens["token_type"] == "Bearer"
    again = shop.nobody.post("/api/users/login/totp", answer | {"code": recovery_codes[1]}, 401)
    assert again["code"] == "challenge_expired"

    me.token = tokens["access_token"]
    assert me.get("/api/users/totp")["recovery_codes_left"] == 9
    proof = {"current_password": PASSWORD}
    missing = me.post("/api/users/totp/recovery-codes", proof, 422)["errors"]
    assert set(missing) == {"code"}
    path, proof = "/api/users/totp/recovery-codes", proof | {"code": recovery_codes[1]}
    recovery_codes = me.post(path, proof)["recovery_codes"]
    assert me.get("/api/users/totp")["recovery_codes_left"] == 10
    disable = {"current_password": PASSWORD, "code": "000000"}
    assert "code" in me.post("/api/users/totp/disable", disable, 422)["errors"]
    me.post("/api/users/totp/disable", disable | {"code": recovery_codes[2]}, 204)
    assert shop.nobody.post("/api/users/login", login)["access_token"]


def test_a_wrong_password_tells_of_no_second_factor(shop):
    """It is the same problem for those who have one."""
    me = shop.customer()
    enrolled(me)
    wrong = {"email": email_of(me), "password": "wrong horse"}
    problem = shop.nobody.post("/api/users/login", wrong, 401)
    assert problem["code"] == "bad_credentials"
    assert "challenge" not in problem


@pytest.mark.parametrize("body", [{}, {"challenge": "x"}, {"code": "123456"}])
def test_what_is_missing_is_named(shop, body):
    """422, before anything is counted."""
    missing = {"challenge", "code"} - set(body)
    assert set(shop.nobody.post("/api/users/login/totp", body, 422)["errors"]) == missing


def test_admins_read_the_trail_and_nobody_else(shop):
    """A promotion: who, whom, from where, in which request."""
    someone = shop.customer()
    path = f"/api/users/{someone.user_id}"
    headers = {"X-Request-ID": "promotion-1"}
    shop.admin.call("PATCH", path, {"role": "staff"}, headers=headers)
    page = shop.admin.get(f"/api/audit?user_id={someone.user_id}&action=role_changed")
    (entry,) = page["items"]
    assert entry["actor_id"] == shop.admin.user_id
    assert entry["user_id"] == someone.user_id
    assert (entry["request_id"], entry["network"]) == ("promotion-1", "127.0.0.0/24")
    assert entry["detail"] == {"old": "customer", "new": "staff"}
    assert (
        shop.admin.get(f"/api/audit?user_id={someone.user_id}&to=2020-01-01T00:00:00Z")["items"]
        == []
    )
    everything = shop.admin.pages(f"/api/audit?user_id={someone.user_id}&limit=1")
    assert [one["action"] for one in everything][-1] == "user_registered"
    shop.employee("staff").get("/api/audit", 403)
    shop.customer().get("/api/audit", 403)
    shop.nobody.get("/api/audit", 401)
    assert "action" in shop.admin.get("/api/audit?action=anything", 422)["errors"]


def test_what_staff_do_to_things_is_in_the_trail(shop):
    """Another price: who, what, from where, in which request; found by the thing."""
    lamp = shop.product(price="10.00")["id"]
    headers = {"X-Request-ID": "cheaper-1", "User-Agent": "curl/8.5"}
    shop.admin.call("PATCH", f"/api/products/{lamp}", {"price": "9.00"}, headers=headers)
    path = f"/api/audit?target=product&target_id={lamp}"
    cheaper, created = eventually(
        lambda: len(found := shop.admin.get(path)["items"]) == 2 and found
    )
    assert (cheaper["action"], created["action"]) == ("product_changed", "product_created")
    assert (cheaper["actor_id"], cheaper["actor_role"]) == (shop.admin.user_id, "admin")
    assert (cheaper["request_id"], cheaper["network"]) == ("cheaper-1", "127.0.0.0/24")
    assert cheaper["detail"] == {"fields": ["price"], "old_price": "10.00", "price": "9.00"}
    assert shop.admin.get(f"{path}&action=product_changed")["items"] == [cheaper]
    assert shop.admin.get(f"/api/audit?target=order&target_id={lamp}")["items"] == []
    assert "target" in shop.admin.get("/api/audit?target=anything", 422)["errors"]


def test_a_failed_sign_in_of_an_admin_is_on_record(shop):
    """And that admin sees it among the sign-ins."""
    boss = shop.employee("admin")
    body = {"email": email_of(boss), "password": "wrong horse"}
    shop.nobody.post("/api/users/login", body, 401)
    (failed,) = shop.admin.get(f"/api/audit?user_id={boss.user_id}&action=sign_in_failed")["items"]
    assert (failed["actor_id"], failed["actor_role"]) == (None, None)
    newest, oldest = boss.get("/api/users/sign-ins")["items"]
    assert (newest["succeeded"], oldest["succeeded"]) == (False, True)


def test_nobody_sees_the_sign_ins_of_others(shop):
    """Only one's own."""
    me = shop.customer()
    assert len(me.get("/api/users/sign-ins")["items"]) == 1
