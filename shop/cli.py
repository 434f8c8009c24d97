"""`shop`: what operators do with the shop from a terminal."""

import datetime
import importlib
import os
import sys
import warnings

import click

from shop.operate.settings import setting
from shop.options import Moment

#: At least one.
_SOME = click.IntRange(min=1)


#: Commands with a room of their own. It is opened when they are asked for: what they import takes
#: longer than a container's `shop health` may.
_ELSEWHERE = {
    "backup": "shop.operate.backup.command",
    "checkouts": "shop.operate.checkouts",
    "dead-letters": "shop.operate.dead_letters.command",
    "keys": "shop.operate.keys",
    "outbox": "shop.operate.outbox",
    "provision": "shop.provision.command",
    "restore": "shop.operate.backup.command",
    "status": "shop.operate.status.command",
    "users": "shop.operate.users",
}


class Commands(click.Group):
    """Those of this module and those that are elsewhere."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_ELSEWHERE])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _ELSEWHERE:
            return super().get_command(ctx, name)
        return getattr(importlib.import_module(_ELSEWHERE[name]), name.replace("-", "_"))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def shop() -> None:
    """Run the shop, look after it, try it out."""


@shop.command()
@click.option(
    "--scale",
    "scale",
    multiple=True,
    envvar="SCALE",
    metavar="SERVICE=N",
    help="So many processes of a service, e.g. orders=2; again for another service.",
)
def run(scale: tuple[str, ...]) -> None:
    """Start everything on this machine; Ctrl-C ends it."""
    from shop.local.run import run

    run(scale)


@shop.command()
@click.argument("services", nargs=-1)
def restart(services: tuple[str, ...]) -> None:
    """Renew the processes of this clone's shop, or of some SERVICES, while it sells.

    One after the other: the next process starts, and when it is ready an old one ends what it has
    in hand and stops. Run `shop migrate` before, when the new code needs it.
    """
    from shop.local.restart import restart

    restart(services)


@shop.command()
def stop() -> None:
    """End this clone's shop and whatever a killed run left behind."""
    from shop.local.run import stop

    stop()


@shop.command()
def install() -> None:
    """Install RabbitMQ where it is missing."""
    from shop.local.install import install_rabbitmq

    install_rabbitmq(click.echo)


@shop.command()
def env() -> None:
    """Print the environment of this clone's running shop: eval "$(shop env)"."""
    import shlex

    from shop.local.place import Place

    place = Place.of_running()
    click.echo(f"shop: this clone's at {place.url}", err=True)
    # Those of libraries that are frozen: nothing that who opens a shell could do about.
    for name, value in (place.environment() | {"PYTHONWARNINGS": "ignore"}).items():
        click.echo(f"export {name}={shlex.quote(value)}")


@shop.command()
def migrate() -> None:
    """Create and migrate the databases, declare the queues and, with RABBITMQ_API, bound them."""
    from shop import migrate
    from shop.operate import settings
    from shop.packages import load_services

    config = settings.load()
    with migrate.answering():
        migrate.migrate(config, progress=click.echo)
        migrate.declare_queues(config, load_services())
        migrate.bound_queues(config, click.echo)


@shop.command("sample")
@click.option("--accounts", is_flag=True, help="Also the accounts whose password is in the README.")
def load_sample(accounts: bool) -> None:
    """Fill a running shop with sample data, where missing: goods, and how they are shipped."""
    from shop import sample
    from shop.operate import settings

    config = settings.load()
    if accounts and not (config.get("users") or {}).get("sample_accounts"):
        raise click.ClickException(
            "everybody knows the password of these accounts: they are for a demo only, whose users"
            " and whose `shop sample` have SAMPLE_ACCOUNTS=true"
        )
    sample.load(config, click.echo, accounts=accounts)


@shop.command()
@click.argument("services", nargs=-1)
def health(services: tuple[str, ...]) -> None:
    """Ask SERVICES over RabbitMQ how they are, or all; fails unless each says "ok".

    A service that answers has its database, too. `shop status` looks at more.
    """
    from shop.health import ask

    if not services:
        from shop.packages import load_services

        services = tuple(service.name for service in load_services())
    failed = False
    for service in services:
        answer = ask(setting("AMQP_URI"), service)
        click.echo(f"{service}: {answer}")
        failed = failed or answer != "ok"
    sys.exit(failed)


@shop.command()
def demo() -> None:
    """Walk one order through a running shop, at SHOP_URL or on this machine."""
    from shop.demo import demo

    sys.exit(demo())


@shop.command()
@click.option(
    "--patience", default=30.0, show_default=True, help="Seconds that a violation must last."
)
def verify(patience: float) -> None:
    """Check that the books of all services agree; fails when they don't.

    Reads the databases of a shop, running or not, and changes nothing.
    """
    from chassis import config as configuration
    from shop.operate.databases import answering
    from shop.verify import Books, show, verify

    os.environ.setdefault("DATABASE_URL", setting("DATABASE_URL"))
    with answering(), Books(configuration.load()) as books:
        found = verify(books, patience)
    show.console().print(show.verdicts(found))
    for line in show.violations(found):
        click.echo(line)
    sys.exit(any(verdict.violations for verdict in found.values()))


@shop.command()
@click.option("--since", type=Moment(), help="From when on; a day before --until unless given.")
@click.option("--until", type=Moment(), help="Until when, 31 days at most; now unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print the report for programs.")
def reconcile(
    since: datetime.datetime | None, until: datetime.datetime | None, as_json: bool
) -> None:
    """Compare the ledger with the payment providers' books; fails when they don't agree.

    Asks the running shop, changes nothing, and says what to do about each finding. What moved in
    the last minutes is left out: it may be on its way.
    """
    import json

    from shop import reconcile
    from shop.verify import show

    until = until or datetime.datetime.now(datetime.UTC)
    since = since or until - datetime.timedelta(days=1)
    if not since < until <= since + reconcile.MAX_SPAN:
        raise click.UsageError("--until has to be after --since, by 31 days at most.")
    report = reconcile.ask(setting("AMQP_URI"), since, until)
    if as_json:
        click.echo(json.dumps(report, indent=2))
    else:
        if report["findings"]:
            show.console().print(reconcile.table(report))
        for line in reconcile.lines(report):
            click.echo(line)
    sys.exit(bool(report["findings"]))


@shop.command()
@click.option("--orders", type=_SOME, default=500, show_default=True, help="Orders to reach.")
@click.option(
    "--kills", type=_SOME, default=20, show_default=True, help="Processes to kill with -9."
)
@click.option("--seed", type=int, help="Repeat the faults and wishes of an earlier run.")
@click.option("--buyers", type=_SOME, default=12, show_default=True, help="Buyers at once.")
@click.option("--seconds", type=_SOME, default=3600, show_default=True, help="Then end anyway.")
@click.option(
    "--here", is_flag=True, help="Against this clone's running shop: its data get orders."
)
def chaos(orders: int, kills: int, seed: int | None, buyers: int, seconds: int, here: bool) -> None:
    """Break the shop while people buy, then check that nothing was lost or doubled.

    Starts a shop of its own in var/chaos; kills its processes, RabbitMQ and PostgreSQL, stops them
    and cuts them off, while buyers contend for scarce stock. Ends with a table of what has to be
    true and how often it was not, a picture and a report; fails on any violation.
    """
    from shop.chaos import command
    from shop.chaos.run import Aim
    from shop.local.place import Place
    from shop.verify.show import console

    seed = command.new_seed() if seed is None else seed
    aim = Aim(seed, orders, kills, seconds, buyers)
    folder = Place.from_environment().var / "chaos"
    sys.exit(command.chaos(aim, here, folder, console()))


@shop.command()
@click.option(
    "--only", multiple=True, metavar="BATTERY", help="A battery alone, such as tokens; repeatable."
)
@click.option("--short", is_flag=True, help="A minute instead of five: smaller floods.")
def attack(only: tuple[str, ...], short: bool) -> None:
    """Attack this clone's running shop, or one of its own; fails when anything worked.

    Hostile byte streams, requests that are dear to read, forged tokens and ended sessions, other
    people's things, races, and floods from one address while a buyer goes on elsewhere. Needs the
    sample accounts of `make run`; goods and customers that it makes stay in the books. Never aim
    it at a shop that sells.
    """
    from shop.attack.command import BATTERIES, attack
    from shop.local.place import clone_folder
    from shop.verify.show import console

    if unknown := set(only) - set(BATTERIES):
        raise click.UsageError(f"no battery {unknown.pop()!r}; there are {', '.join(BATTERIES)}")
    folder = clone_folder() / "attack"
    sys.exit(attack(only, short, folder, console()))


def main() -> None:
    """The console script: what is in the way is told in one line."""
    warnings.simplefilter("ignore")  # they are the tests' business
    # What only `shop run` needs is not installed in the image of the services.
    try:
        shop()
    except Exception as error:
        is_about_a_file = isinstance(error, OSError) and error.filename is not None
        if type(error).__name__ != "LocalError" and not is_about_a_file:
            raise
        told = f"{error.filename}: {error.strerror}" if is_about_a_file else error
        click.echo(f"shop: {told}", err=True)
        sys.exit(1)
