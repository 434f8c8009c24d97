"""`shop users`: the first admin, whom nobody else can make; sessions and second factors of who
has lost a device."""

import json
import sys
from typing import Any

import click
from marshmallow import ValidationError
from nameko.exceptions import RemoteError

from chassis.identity import Role
from contracts.users.fields import fold_email
from contracts.users.requests import SignUp
from shop.operate.calls import SYSTEM, all_of, services
from shop.operate.settings import as_json
from users.passwords import rules

#: Characters that a call takes to search by.
_SEARCHED = 100


@click.group()
def users() -> None:
    """Make the accounts that run the shop, and help people whose devices are lost."""


@users.command("create-admin")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@as_json
def create_admin(email: str, password_stdin: bool, as_json: bool) -> None:
    """Make an admin, who can then give others their roles.

    The password is asked for, or read from the first line of standard input, never taken from the
    command line, where others could see it. The rules for it are those of a sign-up. The address
    counts as confirmed: you answer for it. Run again, it finds the admin there and changes nothing;
    fails when EMAIL is somebody's who is no admin.

    \b
        shop users create-admin ada@example.com
        shop users create-admin ada@example.com --password-stdin < password.txt
    """
    address = _checked({"email": email, "password": "not this one, but one as good"})["email"]
    with services() as rpc:
        user, made = _find(rpc, address), False
        if user is None:
            account = {"email": address, "password": _password(password_stdin)}
            _checked(account)
            user, made = _create(rpc, account)
    if as_json:
        click.echo(json.dumps({"created": made} | {name: user[name] for name in ("id", "role")}))
    elif made:
        click.echo(f"admin created: {address}, id {user['id']}")
    elif user["role"] == Role.ADMIN:
        click.echo(f"{address} is an admin already: nothing changed")
    if user["role"] != Role.ADMIN:
        click.echo(f"{address} is a {user['role']}: an admin can change that", err=True)
        sys.exit(1)


@users.command("verify")
@click.argument("email")
@as_json
def verify(email: str, as_json: bool) -> None:
    """Take an e-mail address as confirmed, for a user whom no mail with the token reaches.

    You answer for it: from now on the shop's mails go there, and whoever reads them can get a new
    password. Run again, it changes nothing; fails when EMAIL is nobody's.

    \b
        shop users verify ada@example.com
    """
    with services() as rpc:
        user = _user(rpc, email)
        was_verified = user["email_verified"]
        if not was_verified:
            user = rpc.users.mark_email_verified(user_id=user["id"], actor=SYSTEM)
    if as_json:
        click.echo(json.dumps({"verified": not was_verified, "id": user["id"]}))
    elif was_verified:
        click.echo(f"{user['email']} is confirmed already: nothing changed")
    else:
        click.echo(f"{user['email']} is confirmed, id {user['id']}")


@users.command("end-sessions")
@click.argument("email")
@as_json
def end_sessions(email: str, as_json: bool) -> None:
    """End all sessions of the user EMAIL, who has to sign in again.

    Access tokens of these sessions can change nothing any more, at once. Fails when there is no
    such user.

    \b
        shop users end-sessions ada@example.com
    """
    with services() as rpc:
        user = _user(rpc, email)
        ended = len(rpc.users.end_sessions(user_id=user["id"], actor=SYSTEM)["ended"])
    if as_json:
        click.echo(json.dumps({"id": user["id"], "ended": ended}))
    else:
        click.echo(f"{user['email']}: {ended} sessions ended")


@users.command("reset-totp")
@click.argument("email")
@as_json
def reset_totp(email: str, as_json: bool) -> None:
    """Take the second factor from the user EMAIL, who has lost it, recovery codes and all.

    Make sure that it is really that person who asks: the password alone is enough afterwards. All
    sessions end. Where staff need a second factor, they can do nothing but set up another one.
    Fails when there is no such user, or no second factor.

    \b
        shop users reset-totp ada@example.com
    """
    with services() as rpc:
        user = _user(rpc, email)
        try:
            ended = len(rpc.users.reset_totp(user_id=user["id"], actor=SYSTEM)["ended"])
        except RemoteError as error:
            if error.exc_type != "TotpNotEnabled":
                raise
            click.echo(f"{user['email']} has no second factor", err=True)
            sys.exit(1)
    if as_json:
        click.echo(json.dumps({"id": user["id"], "ended": ended}))
    else:
        click.echo(f"{user['email']}: no second factor any more, {ended} sessions ended")


def _user(rpc: Any, email: str) -> dict[str, Any]:
    """Who has that address; ends with 1 when nobody has."""
    user = _find(rpc, email)
    if user is None:
        click.echo(f"{email}: no such user", err=True)
        sys.exit(1)
    return user


def _create(rpc: Any, account: dict[str, str]) -> tuple[dict[str, Any], bool]:
    """The user, and whether it is new: somebody may have been faster."""
    try:
        told = {"role": Role.ADMIN.value, "email_verified": True, "actor": SYSTEM}
        return rpc.users.create(**told, **account), True
    except RemoteError as error:
        there = _find(rpc, account["email"]) if error.exc_type == "AlreadyExists" else None
        if there is None:
            raise
        return there, False


def _find(rpc: Any, email: str) -> dict[str, Any] | None:
    """Who has that address, in whichever form it is written."""
    email = fold_email(email)
    found = all_of(rpc.users.list, search=email[:_SEARCHED])
    return next((user for user in found if user["email"].casefold() == email.casefold()), None)


def _checked(account: dict[str, str]) -> dict[str, Any]:
    """The account by the rules of a sign-up, which the service applies as well."""
    try:
        checked = SignUp().load(account)
    except ValidationError as invalid:
        ((field, faults), *_) = invalid.normalized_messages().items()
        raise click.UsageError(f"{field}: {' '.join(map(str, faults))}") from None
    if rules.is_guessable(checked["password"], checked["email"]):
        raise click.UsageError(f"password: {rules.TOO_EASY}")
    return checked


def _has_terminal() -> bool:
    return sys.stdin.isatty()


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not _has_terminal():
        raise click.UsageError("no terminal to ask for the password at: --password-stdin")
    return click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
