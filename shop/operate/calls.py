"""Calls to the services, as operators' commands make them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from amqp import AMQPError
from nameko.exceptions import RemoteError, RpcTimeout, UnknownService
from nameko.standalone.rpc import ClusterRpcProxy

from chassis.identity import Actor
from shop.operate.broker import parameters_of, stock_settings
from shop.operate.settings import setting
from shop.options import CannotTell

#: The actor of what operators do.
SYSTEM = Actor.SYSTEM.to_wire()

#: Seconds for one call: a password's hash takes a part of one, and the machine may be busy.
_PATIENCE = 10

#: Most that one call lists.
_PAGE = 100


def all_of(ask: Callable[..., Any], **asked: Any) -> Iterator[dict[str, Any]]:
    """Everything on all pages of the list that `ask` answers, which are read as they are needed."""
    cursor = None
    while True:
        page = ask(**asked, actor=SYSTEM, limit=_PAGE, cursor=cursor)
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return


@contextmanager
def services() -> Iterator[Any]:
    """`rpc.users.create(...)`; a service that is away, or that refuses what the block does not
    expect, is `CannotTell`."""
    uri = setting("AMQP_URI")
    parameters_of(uri)
    try:
        with ClusterRpcProxy(stock_settings(uri), timeout=_PATIENCE) as rpc:
            yield rpc
    except (OSError, AMQPError, RpcTimeout, UnknownService) as away:
        raise CannotTell("the shop does not answer", away) from None
    except RemoteError as refused:
        raise CannotTell("the shop can't do it", refused.value or refused.exc_type) from None
