"""The connections of a service to its database."""

from collections.abc import Iterator

from sqlalchemy.exc import TimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from chassis.gauges import Sample


class Pool(QueuePool):
    """SQLAlchemy's pool, which also counts those who wait for a connection."""

    # It logs under SQLAlchemy's name, which is quiet: under ours, each lost connection would be a
    # line.
    _sqla_logger_namespace = "sqlalchemy.pool.Pool"

    waiting = waits = timeouts = 0

    def _do_get(self) -> ConnectionPoolEntry:
        if self.checkedout() < self.size():
            return super()._do_get()
        self.waits += 1
        self.waiting += 1
        try:
            return super()._do_get()
        except TimeoutError:
            self.timeouts += 1
            raise
        finally:
            self.waiting -= 1

    def samples(self) -> Iterator[Sample]:
        """How much of it is used, and whether that is too much."""
        name = "shop_database_pool"
        yield Sample(f"{name}_size", "Connections that a service may have.", self.size())
        yield Sample(f"{name}_checked_out", "Connections at work.", self.checkedout())
        yield Sample(f"{name}_waiting", "Work that waits for a connection.", self.waiting)
        yield Sample(f"{name}_waits_total", "Work that had to wait for one.", self.waits)
        text = "Work that waited for one in vain, and failed."
        yield Sample(f"{name}_timeouts_total", text, self.timeouts)
