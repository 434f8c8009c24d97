"""A shop's worth of sample data, brought in through the services' own RPC.

`data/*.yaml` holds it; `load` may be called at every start.
"""

from shop.sample.loader import ACCOUNTS, PASSWORD, load

__all__ = ["ACCOUNTS", "PASSWORD", "load"]
