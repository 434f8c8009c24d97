"""Events that a restored shop has told, and that a handler of the restored shop has not heard.

They were on their way at the instant of the backup: in RabbitMQ, of which there is no backup, or in
a handler's hands. Each is a row in the outbox that told it, where it only has to be unsent again.
"""

from collections import defaultdict
from typing import Any

import sqlalchemy as sa

from chassis import config as configuration
from shop.operate.outbox import with_outbox
from shop.packages import DATABASE_PACKAGES
from shop.verify import Books
from shop.verify.events import unheard

_UNSEND = sa.text(
    "UPDATE outbox SET sent_at = NULL, due_at = now() WHERE event_id = ANY(:ids)"
    " AND sent_at IS NOT NULL"
)


def resend(config: dict[str, Any]) -> int:
    """Have these events published once more; how many there are. Handlers that know one already
    leave it at that."""
    lost: dict[str, set[Any]] = defaultdict(set)
    with Books(config) as books:
        publishing = with_outbox(books, DATABASE_PACKAGES)
        for one in unheard(books):
            lost[one.package].add(one.event_id)
    for package in publishing:
        engine = sa.create_engine(
            configuration.database_url(config, package), poolclass=sa.NullPool
        )
        with engine.begin() as connection:
            connection.execute(_UNSEND, {"ids": list(lost[package])})
    return sum(map(len, lost.values()))
