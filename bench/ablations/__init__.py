"""What each shortcut of the shop's own is worth: the same path with it and without it, in turns.

A shortcut is code of ours where plainer code would give the same answers. `ABLATIONS` names each of
them, and the paths that it should pay for itself on; `bench.ablations.without` runs a service
without one. Nothing in the services knows of this.
"""

from dataclasses import dataclass, field

#: What a shortcut has to save of its path's processor time to stay.
WORTH = 0.10


@dataclass(frozen=True)
class Path:
    """A name in `bench.works.ablations`, and those processes that the figure is of; all by
    default."""

    name: str
    processes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ablation:
    """One shortcut: what it is, in `paths` and where (`code`). `environment` is set on both
    sides."""

    title: str
    code: str
    paths: tuple[Path, ...]
    environment: dict[str, str] = field(default_factory=dict)


PING, DETAIL, SEARCH, CHECKOUT, EVENTS = map(
    Path, ("ping", "detail", "search", "checkout", "events")
)
#: Nobody else has a part in these.
CACHED, CACHED_LIST, SIGNED_IN = (
    Path(name, ("gateway",)) for name in ("cached", "cached list", "signed in")
)

#: By the name of the function in `bench.ablations.without` that takes it out.
ABLATIONS = {
    "autocommit": Ablation(
        "one statement without BEGIN and COMMIT", "chassis/database.py", (DETAIL, CHECKOUT)
    ),
    "begin": Ablation("BEGIN with the first statement", "chassis/driver.py", (CHECKOUT,)),
    "reserve_new": Ablation(
        "stock of a new order in one statement",
        "products/stock/reservation_sql.py",
        (CHECKOUT, Path("checkout", ("products", "PostgreSQL"))),
    ),
    "place": Ablation(
        "an order in one statement",
        "orders/checkout/store.py",
        (CHECKOUT, Path("checkout", ("orders", "PostgreSQL"))),
    ),
    "frame_buffer": Ablation(
        "AMQP frames sent together", "chassis/broker/frame_buffer.py", (PING, CHECKOUT)
    ),
    "frame_reader": Ablation(
        "AMQP frames read together", "chassis/broker/frame_buffer.py", (PING, CHECKOUT)
    ),
    "http": Ablation(
        "HTTP server on httptools", "chassis/web/server.py", (PING, DETAIL, CACHED)
    ),
    "access_log": Ablation(
        "access log past structlog", "chassis/logs.py", (PING,), {"LOG_LEVEL": "INFO"}
    ),
    "read_cache": Ablation("read cache", "chassis/web/read_cache.py", (Path("cached"),)),
    "encoded": Ablation(
        "cached answers kept encoded", "chassis/web/response_cache.py", (CACHED, CACHED_LIST)
    ),
    "spellings": Ablation(
        "keys by how a request is written", "chassis/web/response_cache.py", (CACHED, CACHED_LIST)
    ),
    "verified": Ablation(
        "verified tokens remembered", "chassis/identity.py", (SIGNED_IN, CHECKOUT)
    ),
    "list_statements": Ablation(
        "statements of lists remembered", "products/catalog/listing_sql.py", (SEARCH,)
    ),
    "pace": Ablation("relay gathers for 20 ms", "chassis/events/relay.py", (CHECKOUT,)),
    "relay_batch": Ablation("relay publishes many at once", "chassis/events/relay.py", (EVENTS,)),
    "confirms": Ablation(
        "many messages confirmed together", "chassis/broker/confirmed_publisher.py", (EVENTS,)
    ),
    "handler_batch": Ablation(
        "events handled by the batch", "chassis/events/batches.py", (EVENTS,)
    ),
}  # fmt: skip
