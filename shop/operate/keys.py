"""`shop keys`: the keys that sign access tokens."""

import json

import click

from shop.operate.calls import SYSTEM, services
from shop.operate.settings import as_json


@click.group()
def keys() -> None:
    """Look after the keys that sign access tokens.

    They are rows in the database of users, so whoever reads that can sign tokens. Rotate them when
    that may have happened, or every few months.
    """


@keys.command()
@as_json
def rotate(as_json: bool) -> None:
    """Sign with a new key from now on.

    Nothing has to be restarted: gateways fetch the new public key when they first see its id. What
    the old key has signed holds until it expires, in 15 minutes unless ACCESS_TOKEN_SECONDS says
    otherwise; refresh tokens are not signed, and go on.
    """
    with services() as rpc:
        kid = rpc.users.rotate_keys(actor=SYSTEM)["kid"]
    if as_json:
        click.echo(json.dumps({"kid": kid}))
    else:
        click.echo(f"new key: {kid}")
        click.echo("nothing to restart; tokens of the old key hold until they expire")
