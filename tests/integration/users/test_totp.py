"""The second factor, over RPC on a real database."""

import eventlet
import pyotp
import pytest
import sqlalchemy as sa

from chassis.errors import Conflict, Forbidden, Invalid, TooManyRequests, Unauthenticated
from tests.integration.users import people
from tests.integration.users.people import PASSWORD
from users.service import UsersService

EMAIL = people.SIGN_UP["email"]


class App:
    """Anna with her authenticator app; `app.log_in(code)` shows the password first."""

    def __init__(self, users, user_id, clock):
        self.users, self.user_id, self.clock = users, user_id, clock
        secret = users.enrol_totp(user_id=user_id, current_password=PASSWORD)["secret"]
        self.generator = pyotp.TOTP(secret)
        self.recovery_codes = users.confirm_totp(user_id=user_id, code=self.code())[
            "recovery_codes"
        ]
        self.next_step()

    def code(self, steps=0):
        return self.generator.at(int(self.clock().timestamp()) + 30 * steps)

    def next_step(self):
        """To the middle of the next one, and let it stand still there."""
        self.clock.stop()
        self.clock.advance(seconds=45 - self.clock().timestamp() % 30)

    def challenge(self, password=PASSWORD):
        with pytest.raises(Unauthenticated) as caught:
            self.users.login(email=EMAIL, password=password)
        assert caught.value.code == "totp_required"
        return caught.value.data["challenge"]

    def log_in(self, code, challenge=None, **where):
        challenge = challenge or self.challenge()
        return self.users.login_totp(challenge=challenge, code=code, **where)


@pytest.fixture
def app(users, anna, clock):
    return App(users, anna["id"], clock)


def refused(call, *args, **kwargs):
    with pytest.raises(Unauthenticated) as caught:
        call(*args, **kwargs)
    return caught.value.code


def test_without_a_second_factor_a_password_is_enough(users, anna):
    """As ever; and nobody needs one unless a setting says so."""
    state = users.get_totp(user_id=anna["id"])
    assert state == {"enabled": False, "required": False, "recovery_codes_left": 0}
    assert users.login(email=EMAIL, password=PASSWORD)["access_token"]


def test_enrolling(users, anna, clock):
    """Needs the password; counts only once a code has shown that the app has the secret."""
    with pytest.raises(Invalid):
        users.enrol_totp(user_id=anna["id"], current_password="wrong horse")
    first = users.enrol_totp(user_id=anna["id"], current_password=PASSWORD)
    second = users.enrol_totp(user_id=anna["id"], current_password=PASSWORD)
    assert first["secret"] != second["secret"]
    parsed = pyotp.parse_uri(second["uri"])
    assert (parsed.secret, parsed.name, parsed.issuer) == (second["secret"], EMAIL, "shop")
    assert len(second["secret"]) >= 32  # 160 bits, as RFC 4226 recommends
    assert users.login(email=EMAIL, password=PASSWORD)

    now = int(clock().timestamp())
    with pytest.raises(Invalid) as caught:
        users.confirm_totp(user_id=anna["id"], code=pyotp.TOTP(first["secret"]).at(now))
    assert set(caught.value.errors) == {"code"}
    users.confirm_totp(user_id=anna["id"], code=pyotp.TOTP(second["secret"]).at(now))
    assert refused(users.login, email=EMAIL, password=PASSWORD) == "totp_required"
    for call in (
        lambda: users.enrol_totp(user_id=anna["id"], current_password=PASSWORD),
        lambda: users.confirm_totp(user_id=anna["id"], code="123456"),
    ):
        with pytest.raises(Conflict) as conflict:
            call()
        assert conflict.value.code == "totp_enabled"


def test_signing_in_takes_both(users, app):
    """The code of this step, the one before, or the one after; no other."""
    assert app.log_in(app.code())["access_token"]
    assert refused(app.log_in, app.code(-2)) == "totp_failed"
    assert refused(app.log_in, app.code(2)) == "totp_failed"
    assert app.log_in(app.code(1))["access_token"]
    app.next_step()
    app.next_step()
    app.next_step()
    assert app.log_in(app.code(-1))["access_token"]


def test_a_wrong_password_says_no_more_than_before(users, app):
    """Whether there is a second factor is told to who has the password alone."""
    assert refused(users.login, email=EMAIL, password="wrong horse") == "bad_credentials"
    assert refused(users.login, email="no@example.com", password=PASSWORD) == "bad_credentials"


def test_a_code_is_used_once(users, app):
    """Nor is one of an earlier step good after it."""
    code, earlier = app.code(), app.code(-1)
    assert app.log_in(code)
    assert refused(app.log_in, code) == "totp_failed"
    assert refused(app.log_in, earlier) == "totp_failed"


def test_the_code_that_confirmed_does_not_sign_in(users, anna, clock):
    """It was used."""
    clock.stop()
    secret = pyotp.TOTP(users.enrol_totp(user_id=anna["id"], current_password=PASSWORD)["secret"])
    code = secret.at(int(clock().timestamp()))
    users.confirm_totp(user_id=anna["id"], code=code)
    with pytest.raises(Unauthenticated) as caught:
        users.login(email=EMAIL, password=PASSWORD)
    challenge = caught.value.data["challenge"]
    assert refused(users.login_totp, challenge=challenge, code=code) == "totp_failed"


@pytest.mark.parametrize("kind", ["totp", "recovery"])
def test_rivals_with_one_code(users, app, start, kind):
    """At the same instant, at two instances: one of them signs in."""
    start(UsersService)
    code = app.code() if kind == "totp" else app.recovery_codes[0]
    challenges = [app.challenge() for _ in range(4)]

    def attempt(challenge):
        try:
            return app.log_in(code, challenge)
        except Unauthenticated as fault:
            return fault.code

    results = [t.wait() for t in [eventlet.spawn(attempt, one) for one in challenges]]
    assert sorted(r if isinstance(r, str) else "in" for r in results) == [
        "in", "totp_failed", "totp_failed", "totp_failed",
    ]  # fmt: skip


def test_a_challenge_is_used_once_and_for_five_minutes(users, app):
    """By one of those who have it."""
    challenge = app.challenge()
    assert app.log_in(app.code(), challenge)
    assert refused(app.log_in, app.code(1), challenge) == "challenge_expired"
    challenge = app.challenge()
    app.clock.advance(minutes=5)
    assert refused(app.log_in, app.code(), challenge) == "challenge_expired"
    assert refused(app.log_in, app.code(), "never-given") == "challenge_expired"


def test_another_password_ends_challenges(users, app):
    """Who has shown the old one has shown nothing."""
    challenge = app.challenge()
    users.change_password(
        user_id=app.user_id, current_password=PASSWORD, new_password="staple battery"
    )
    assert refused(app.log_in, app.code(), challenge) == "challenge_expired"
    assert app.log_in(app.code(), app.challenge("staple battery"))


def test_recovery_codes(users, app, service):
    """Ten, each good once, however it is typed; only digests are stored."""
    assert len(set(app.recovery_codes)) == 10
    first, second = app.recovery_codes[:2]
    assert app.log_in(first)
    assert refused(app.log_in, first) == "totp_failed"
    assert app.log_in(second.upper().replace("-", " "))
    assert users.get_totp(user_id=app.user_id)["recovery_codes_left"] == 8
    stored = str(people.rows(service, "SELECT encode(code_hash, 'escape') FROM recovery_codes"))
    assert not any(code in stored for code in app.recovery_codes)


@pytest.fixture
def told(service):
    """`told()`: type and payload of the events about second factors, oldest first."""
    about = "SELECT type, payload FROM outbox WHERE type ~ '^(totp|recovery)_' ORDER BY id"
    return lambda: people.rows(service, about)


def test_the_owner_is_told(users, app, admin, told):
    """Of a second factor that is turned on, off or taken away, and of recovery codes that are used
    or renewed; not of codes that do not hold."""
    me = {"user_id": app.user_id}
    app.log_in(app.recovery_codes[0])
    refused(app.log_in, app.recovery_codes[0])
    with pytest.raises(Invalid):
        users.renew_recovery_codes(**me, current_password=PASSWORD, code="000000")
    users.renew_recovery_codes(**me, current_password=PASSWORD, code=app.code())
    app.next_step()
    users.disable_totp(**me, current_password=PASSWORD, code=app.code())
    app = App(users, app.user_id, app.clock)
    users.reset_totp(**me, actor=admin)
    assert told() == [
        ("totp_enabled", me),
        ("recovery_code_used", me | {"left": 9}),
        ("recovery_codes_renewed", me),
        ("totp_disabled", me),
        ("totp_enabled", me),
        ("totp_disabled", me),
    ]


def test_recovery_codes_are_renewed(users, app, admin):
    """By who has the password and a code; the old ones are good for nothing then."""
    me = {"user_id": app.user_id}
    with pytest.raises(Invalid) as caught:
        users.renew_recovery_codes(**me, current_password="wrong horse", code=app.code())
    assert set(caught.value.errors) == {"current_password"}
    with pytest.raises(Invalid) as caught:
        users.renew_recovery_codes(**me, current_password=PASSWORD, code="000000")
    assert set(caught.value.errors) == {"code"}
    app.log_in(app.recovery_codes[0])

    new = users.renew_recovery_codes(
        **me, current_password=PASSWORD, code=app.recovery_codes[1], network="203.0.113.77"
    )["recovery_codes"]

    assert len(set(new) - set(app.recovery_codes)) == 10
    assert users.get_totp(**me)["recovery_codes_left"] == 10
    assert refused(app.log_in, app.recovery_codes[2]) == "totp_failed"
    assert app.log_in(new[0])
    (entry,) = users.list_audit(actor=admin, action="recovery_codes_renewed")["items"]
    assert (entry["user_id"], entry["actor_id"]) == (app.user_id, app.user_id)
    assert entry["network"] == "203.0.113.0/24"
    users.reset_totp(**me, actor=admin)
    with pytest.raises(Conflict) as conflict:
        users.renew_recovery_codes(**me, current_password=PASSWORD, code=new[1])
    assert conflict.value.code == "totp_not_enabled"


def test_rivals_renew_recovery_codes(users, app, start):
    """With one code at the same instant one of them does, so there are ten in the end."""
    start(UsersService)
    code = app.code()

    def renew():
        try:
            return users.renew_recovery_codes(
                user_id=app.user_id, current_password=PASSWORD, code=code
            )["recovery_codes"]
        except Invalid:
            return None

    results = [t.wait() for t in [eventlet.spawn(renew) for _ in range(4)]]
    (codes,) = [codes for codes in results if codes]
    assert users.get_totp(user_id=app.user_id)["recovery_codes_left"] == 10
    assert app.log_in(codes[0])


def test_somebody_elses_recovery_code(users, app):
    """Is none."""
    users.sign_up(email="ben@example.com", password=PASSWORD)
    ben = users.verify_credentials(email="ben@example.com", password=PASSWORD)["id"]
    secret = pyotp.TOTP(users.enrol_totp(user_id=ben, current_password=PASSWORD)["secret"])
    codes = users.confirm_totp(user_id=ben, code=secret.at(int(app.clock().timestamp())))
    assert refused(app.log_in, codes["recovery_codes"][0]) == "totp_failed"


def test_guessing_codes_is_stopped(users, app):
    """After a few, whatever challenge comes with them: the right password takes nothing back. One
    waits, and then gets in."""
    network = {"network": "198.51.100.7"}
    for _ in range(5):
        assert refused(app.log_in, "000000", **network) == "totp_failed"
    challenge = app.challenge()
    with pytest.raises(TooManyRequests) as caught:
        app.log_in(app.code(), challenge, **network)
    assert caught.value.retry_after >= 1
    app.clock.advance(minutes=15)
    assert app.log_in(app.code(), **network)


def test_guesses_from_elsewhere_do_not_lock_the_owner_out(users, app):
    """Where one has signed in before, codes are counted by themselves."""
    home, thief = {"network": "192.0.2.1"}, {"network": "198.51.100.7"}
    assert app.log_in(app.code(), **home)
    for _ in range(5):
        refused(app.log_in, "000000", **thief)
    challenge = app.challenge()
    with pytest.raises(TooManyRequests):
        app.log_in("000000", challenge, **thief)
    app.next_step()
    app.next_step()
    assert app.log_in(app.code(), **home)


def test_a_password_alone_makes_no_network_known(users, app, service):
    """Or a thief who has it would be counted apart from others."""
    with pytest.raises(Unauthenticated):
        users.login(email=EMAIL, password=PASSWORD, network="198.51.100.7")
    assert people.rows(service, "SELECT count(*) FROM known_networks") == [(0,)]


def test_disabling(users, app):
    """Takes the password and a code."""
    me = {"user_id": app.user_id}
    with pytest.raises(Invalid):
        users.disable_totp(**me, current_password="wrong horse", code=app.code())
    with pytest.raises(Invalid) as caught:
        users.disable_totp(**me, current_password=PASSWORD, code="000000")
    assert set(caught.value.errors) == {"code"}
    users.disable_totp(**me, current_password=PASSWORD, code=app.code())
    assert users.login(email=EMAIL, password=PASSWORD)
    with pytest.raises(Conflict):
        users.disable_totp(**me, current_password=PASSWORD, code=app.code(1))


def test_resetting(users, app, admin, service):
    """By admins and operators, for who has lost the phone: all sessions end, the password alone is
    enough until one enrols again."""
    tokens = app.log_in(app.code())
    with pytest.raises(Forbidden):
        users.reset_totp(user_id=app.user_id, actor={"user_id": app.user_id, "role": "staff"})
    assert len(users.reset_totp(user_id=app.user_id, actor=admin)["ended"]) == 1
    assert refused(users.refresh, refresh_token=tokens["refresh_token"]) == "session_ended"
    assert users.login(email=EMAIL, password=PASSWORD)
    assert people.rows(service, "SELECT count(*) FROM recovery_codes") == [(0,)]
    with pytest.raises(Conflict) as caught:
        users.reset_totp(user_id=app.user_id, actor=admin)
    assert caught.value.code == "totp_not_enabled"


def test_a_deleted_user_has_no_secret(users, app, admin, service):
    """Nothing of it is left."""
    app.challenge()
    users.delete(user_id=app.user_id, actor=admin)
    for table in ("totp", "recovery_codes", "totp_challenges"):
        assert people.rows(service, f"SELECT count(*) FROM {table}") == [(0,)]


@pytest.mark.parametrize("code", ["", "12345", "1" * 41, "12345\0", "\u0661" * 6, None, 123456, []])
def test_what_is_no_code_at_all(users, app, code):
    """Invalid, before anything is counted."""
    for _ in range(9):
        with pytest.raises(Invalid):
            app.users.login_totp(challenge="x" * 43, code=code)


def test_staff_who_need_one(start, call, clock):
    """With the setting, staff without a second factor are told to enrol; customers are not."""
    start(UsersService, users={"staff_totp_required": True})
    users = call.users
    boss = users.create(email="boss@example.com", password=PASSWORD, role="admin")
    users.login(email="boss@example.com", password=PASSWORD)
    assert users.check_session(user_id=boss["id"]) == {"role": "admin", "must_enrol": True}
    assert users.get_totp(user_id=boss["id"])["required"]
    secret = users.enrol_totp(user_id=boss["id"], current_password=PASSWORD)["secret"]
    assert users.check_session(user_id=boss["id"])["must_enrol"]
    code = pyotp.TOTP(secret).at(int(clock().timestamp()))
    users.confirm_totp(user_id=boss["id"], code=code)
    assert not users.check_session(user_id=boss["id"])["must_enrol"]
    anna = users.sign_up(**people.SIGN_UP)
    assert users.check_session(user_id=anna["id"]) == {"role": "customer", "must_enrol": False}


def test_the_secret_leaves_once(users, app, service, logged):
    """It is in no other answer, no event and no log line, and neither are codes."""
    app.log_in(app.code())
    events = people.rows(service, "SELECT payload::text, headers::text FROM outbox")
    trail = people.rows(service, "SELECT row_to_json(a)::text FROM audit_entries a")
    for secret in (app.generator.secret, *app.recovery_codes):
        assert secret not in str((events, trail, logged, users.get_totp(user_id=app.user_id)))


def test_the_database_knows_when_a_secret_counts(service, anna):
    """One that is confirmed has a step that was used."""
    insert = (
        "INSERT INTO totp (user_id, secret, created_at, confirmed_at)"
        " VALUES (:id, 'x', now(), now()) RETURNING 1"
    )
    with pytest.raises(sa.exc.IntegrityError, match="confirmed_by_a_code"):
        people.rows(service, insert, id=anna["id"])
