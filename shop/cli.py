"""`shop`: what operators do with the shop from a terminal."""

import os
import sys
import warnings

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def shop() -> None:
    """Run the shop, look after it, try it out."""


@shop.command()
def run() -> None:
    """Start everything on this machine; Ctrl-C ends it."""
    from shop.local.run import run

    run()


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
    """Print the environment of this clone's processes: eval "$(shop env)"."""
    import shlex

    from shop.local.place import Place

    for name, value in Place.from_environment().environment().items():
        click.echo(f"export {name}={shlex.quote(value)}")


@shop.command()
def migrate() -> None:
    """Create and migrate the databases, declare the queues."""
    from chassis import config as configuration
    from shop import migrate

    config = configuration.load()
    migrate.migrate(config, progress=click.echo)
    migrate.declare_queues(config, migrate.load_services())


@shop.command("sample")
def load_sample() -> None:
    """Fill the catalog of a running shop with sample data, where it is missing."""
    from chassis import config as configuration
    from shop import sample

    sample.load(configuration.load(), click.echo)


@shop.command()
@click.argument("services", nargs=-1, required=True)
def health(services: tuple[str, ...]) -> None:
    """Ask services over RabbitMQ how they are; fails unless all say "ok"."""
    from shop.health import ask

    failed = False
    for service in services:
        answer = ask(_amqp_uri(), service)
        click.echo(f"{service}: {answer}")
        failed = failed or answer != "ok"
    sys.exit(failed)


@shop.group()
def keys() -> None:
    """Look after the keys that sign access tokens."""


@keys.command("rotate")
def rotate_keys() -> None:
    """Sign with a new key from now on; tokens of the old one hold until they expire."""
    from nameko.standalone.rpc import ClusterRpcProxy

    with ClusterRpcProxy({"AMQP_URI": _amqp_uri()}, timeout=10) as rpc:
        click.echo(f"new key: {rpc.users.rotate_keys()['kid']}")


@shop.command()
def demo() -> None:
    """Walk one order through a running shop, at SHOP_URL or on this machine."""
    from shop.demo import demo

    sys.exit(demo())


def _amqp_uri() -> str:
    if uri := os.environ.get("AMQP_URI"):
        return uri
    from shop.local.place import Place

    return Place.from_environment().environment()["AMQP_URI"]


def main() -> None:
    """The console script: what is in the way is told in one line."""
    warnings.simplefilter("ignore")  # they are the tests' business
    # What only `shop run` needs is not installed in the image of the services.
    try:
        shop()
    except Exception as error:
        if type(error).__name__ != "LocalError":
            raise
        click.echo(f"shop: {error}", err=True)
        sys.exit(1)
