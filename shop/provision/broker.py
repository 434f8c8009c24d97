"""RabbitMQ's half of `shop provision`: users, their rights, the bounds of queues."""

from collections import defaultdict
from collections.abc import Callable, Mapping

from chassis.broker.manifest import Manifest, manifest_of
from chassis.broker.rights import Rights, rights_of
from shop.packages import load_services, package_of
from shop.provision.management import Management
from shop.provision.policies import set_policies

#: The first version that checks the routing keys in the headers CC and BCC too. Before it, a
#: service that is up to no good can call, or answer in the name of, any other.
_CHECKS_ALL_KEYS = (4, 0, 3)


def provision(
    api: str, vhost: str, passwords: Mapping[str, str], say: Callable[[str], None]
) -> None:
    """Make the vhost, and in it a user with its rights for each package in `passwords`, and the
    policies.

    `api` is the address of the management API with an administrator's name and password. Safe to
    repeat: a password or right that has changed is set anew, what an operator has changed in a
    policy stays. Raises `CannotTell`.
    """
    management = Management(api, vhost)
    if management.version < _CHECKS_ALL_KEYS:
        say("RabbitMQ before 4.0.3 does not hold services to whom they may call and answer")
    if management.get("vhosts", vhost) is None:
        management.put("vhosts", vhost)
        say(f"vhost {vhost}: made")
    manifests = _manifests()
    for package, password in passwords.items():
        _provide(management, package, password, rights_of(manifests[package]))
        say(f"user {package}: password and rights set")
    set_policies(management, say)


def _manifests() -> dict[str, list[Manifest]]:
    """Of the services of each package, which run in one process."""
    manifests = defaultdict(list)
    for service in load_services():
        manifests[package_of(service)].append(manifest_of(service))
    return manifests


def _provide(management: Management, user: str, password: str, rights: Rights) -> None:
    vhost = management.vhost
    management.put("users", user, password=password, tags="")
    # First what restricts: without a right by topic, a user may use all topics of an exchange.
    for exchange, (write, read) in rights.topics.items():
        management.put("topic-permissions", vhost, user, exchange=exchange, write=write, read=read)
    patterns = {"configure": rights.configure, "write": rights.write, "read": rights.read}
    management.put("permissions", vhost, user, **patterns)
