"""Nameko's RPC with deadlines, typed errors and a lean way through the broker.

On the wire it is Nameko's protocol (exchange `nameko-rpc`, queue `rpc-<service>`, JSON bodies
`{"args", "kwargs"}` and `{"result", "error"}`), so `nameko shell` and stock Nameko services work
with ours, both ways.
"""

from chassis.rpc.client import ReplyListener, RpcProxy, ServiceProxy
from chassis.rpc.server import rpc

__all__ = ["ReplyListener", "RpcProxy", "ServiceProxy", "rpc"]
