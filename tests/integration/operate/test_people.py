"""`shop users create-admin` and `shop keys rotate`."""

import pyotp
import pytest
from click.testing import CliRunner

from chassis.errors import Unauthenticated
from shop.cli import shop
from tests.integration.users import people
from users.service import UsersService

EMAIL = "ada@example.com"
CREATE = ("users", "create-admin", EMAIL, "--password-stdin")


@pytest.fixture
def service(start):
    (container,) = start(UsersService)
    return container


def test_an_admin_is_made_once(run, service, call):
    """By the rules of a sign-up, with its event; a second time says so and changes nothing."""
    assert run(*CREATE, input="rule the shop\n").startswith(f"admin created: {EMAIL}, id ")
    assert call.users.verify_credentials(email=EMAIL, password="rule the shop")["role"] == "admin"
    again = run(*CREATE, input="another password\n")
    assert again == f"{EMAIL} is an admin already: nothing changed\n"
    other_case = run("users", "create-admin", "Ada@Example.COM", "--json", input="")
    assert (other_case["created"], other_case["role"]) == (False, "admin")
    assert people.rows(service, "SELECT role, count(*) FROM users GROUP BY role") == [("admin", 1)]
    assert people.rows(service, "SELECT type FROM outbox") == [("user_registered",)]
    assert call.users.verify_credentials(email=EMAIL, password="rule the shop")


def test_an_operator_answers_for_an_address(run, service, call):
    """Once; a second time says so, and nobody's address is named."""
    user = call.users.sign_up(**people.SIGN_UP)
    told = f"anna@example.com is confirmed, id {user['id']}\n"
    assert run("users", "verify", "Anna@Example.com") == told
    assert call.users.get(user_id=user["id"])["email_verified"]
    assert run("users", "verify", "anna@example.com", "--json") == {
        "verified": False,
        "id": user["id"],
    }
    assert "nothing changed" in run("users", "verify", "anna@example.com")
    assert "no such user" in run("users", "verify", "ben@example.com", code=1)


def test_an_admin_made_here_gets_mails(run, service, call):
    """Whoever runs the command answers for the address."""
    run(*CREATE, input="rule the shop\n")
    assert call.users.list()["items"][0]["email_verified"]


def test_somebody_elses_address(run, service, call):
    """A customer is not made an admin by the way."""
    call.users.sign_up(**people.SIGN_UP)
    told = run("users", "create-admin", "anna@example.com", "--password-stdin", code=1, input="x\n")
    assert told == "anna@example.com is a customer: an admin can change that\n"


def test_a_long_address(run, service):
    """Longer than what a search takes."""
    long = f"{'a' * 60}@{'b' * 60}.example.com"
    assert run("users", "create-admin", long, "--password-stdin", input="rule the shop\n")
    assert "already" in run("users", "create-admin", long)


def test_an_address_like_another(run, service, call):
    """Only the very address counts, wherever else it is part of."""
    call.users.sign_up(email=f"x{EMAIL}", password=people.PASSWORD)
    assert run(*CREATE, "--json", input="rule the shop\n")["created"]


@pytest.mark.parametrize(
    ("email", "password", "told"),
    [
        ("ada", "rule the shop\n", "email: Not a valid e-mail address."),
        (EMAIL, "short\n", "password: "),
        (EMAIL, "password1\n", "password: "),
        (EMAIL, "demo-Passw0rd\n", "password: "),
        (EMAIL, "\n", "password: "),
        (EMAIL, "", "password: "),
        (EMAIL, "x" * 5000, "password: "),
    ],
)
def test_what_no_sign_up_would_take(run, service, email, password, told):
    """Is named in a line, and nobody is made."""
    output = run("users", "create-admin", email, "--password-stdin", code=2, input=password)
    assert output.splitlines()[-1].startswith(f"Error: {told}")
    assert people.rows(service, "SELECT 1 FROM users") == []


def test_a_password_is_no_argument(run, service, monkeypatch):
    """It is asked for at a terminal, twice and unseen; without one, the option is named."""
    assert "No such option" in run("users", "create-admin", EMAIL, "--password", "x", code=2)
    assert "--password-stdin" in run("users", "create-admin", EMAIL, code=2)
    monkeypatch.setattr("shop.operate.users._has_terminal", lambda: True)
    told = run("users", "create-admin", EMAIL, input="rule the shop\n" * 2)
    assert "admin created" in told
    assert "rule the shop" not in told


def test_rotation_for_programs(run, service, call):
    """The id of the key that signs from now on."""
    kid = run("keys", "rotate", "--json")["kid"]
    assert kid == call.users.jwks()["keys"][0]["kid"]


def test_what_operators_do_is_in_the_audit_trail(run, service, call):
    """By `system`: who may sit at the machine is not for the shop to know."""
    ada = run(*CREATE, "--json", input="rule the shop\n")["id"]
    anna = call.users.sign_up(**people.SIGN_UP)["id"]
    run("users", "verify", "anna@example.com")
    run("keys", "rotate")
    trail = [
        (entry["action"], entry["user_id"], entry["actor_id"])
        for entry in call.users.list_audit()["items"]
        if entry["actor_role"] == "system"
    ]
    assert trail == [
        ("signing_keys_rotated", None, None),
        ("email_verified", anna, None),
        ("user_created", ada, None),
    ]


def test_without_the_service(run, config, one_line, nowhere):
    """One line, and a status of its own."""
    for command in (("keys", "rotate"), CREATE):
        for uri in (nowhere.amqp, "hunter2", config["AMQP_URI"]):
            told = run(*command, code=2, input="rule the shop\n", AMQP_URI=uri)
            assert one_line(told), told
            assert "hunter2" not in told


def test_help_teaches():
    """Every command says what it is for, when it fails and what comes next."""
    commands = ["status", "outbox", "checkouts", "dead-letters", "keys", "users"]
    everything = CliRunner().invoke(shop, ["--help"]).output
    for command in commands:
        assert f"  {command} " in everything
        told = CliRunner().invoke(shop, [command, "--help"])
        assert told.exit_code == 0
        assert len(told.output.splitlines()) > 5


def test_sessions_are_ended(run, service, call):
    """All of one person's; a second time there is nothing to end."""
    call.users.sign_up(**people.SIGN_UP)
    tokens = call.users.login(email="anna@example.com", password=people.PASSWORD)
    assert run("users", "end-sessions", "Anna@Example.com", "--json")["ended"] == 1
    with pytest.raises(Unauthenticated):
        call.users.refresh(refresh_token=tokens["refresh_token"])
    told = run("users", "end-sessions", "anna@example.com")
    assert told == "anna@example.com: 0 sessions ended\n"
    trail = call.users.list_audit(action="sessions_ended")["items"]
    assert [entry["actor_role"] for entry in trail] == ["system", "system"]


def test_a_lost_second_factor_is_taken_away(run, service, call):
    """With it the sessions; who has none is said to have none."""
    anna = call.users.sign_up(**people.SIGN_UP)["id"]
    told = run("users", "reset-totp", "anna@example.com", code=1)
    assert told == "anna@example.com has no second factor\n"
    call.users.login(email="anna@example.com", password=people.PASSWORD)
    secret = call.users.enrol_totp(user_id=anna, current_password=people.PASSWORD)["secret"]
    call.users.confirm_totp(user_id=anna, code=pyotp.TOTP(secret).now())
    told = run("users", "reset-totp", "anna@example.com")
    assert told == "anna@example.com: no second factor any more, 1 sessions ended\n"
    assert call.users.login(email="anna@example.com", password=people.PASSWORD)
    assert call.users.list_audit(limit=2)["items"][1]["action"] == "totp_reset"


@pytest.mark.parametrize("command", ["end-sessions", "reset-totp"])
def test_nobody_of_that_address(run, service, command):
    """One line, and a status of its own."""
    told = run("users", command, "nobody@example.com", code=1)
    assert told == "nobody@example.com: no such user\n"
