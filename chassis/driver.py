"""psycopg2, which sends BEGIN together with the first statement of a transaction.

By itself it sends BEGIN as a message of its own: for each transaction a round trip more, and two
switches of greenthreads. PostgreSQL takes several commands in one message
(https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT).
"""

from typing import Any

from psycopg2 import NotSupportedError, extensions
from psycopg2.extensions import TRANSACTION_STATUS_IDLE


class Connection(extensions.connection):
    """Psycopg2's own connection, with its `autocommit`, `commit` and `rollback`. Cursors of it have
    to be `Cursor`s."""

    autocommit = False

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        # The library itself is to send neither BEGIN nor COMMIT.
        extensions.connection.autocommit.__set__(self, True)

    def commit(self) -> None:
        self._end("COMMIT")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def set_isolation_level(self, level: Any) -> None:
        """Would have the library begin transactions again; there is `autocommit` instead."""
        raise NotSupportedError("isolation levels can't be set here")

    def is_in_transaction(self) -> bool:
        """Raises psycopg2's `InterfaceError` when the connection is closed."""
        return self.get_transaction_status() != TRANSACTION_STATUS_IDLE

    def _end(self, command: str) -> None:
        if self.is_in_transaction():
            with self.cursor() as cursor:
                cursor.execute(command)


class Cursor(extensions.cursor):
    """Begins a transaction when its connection is in none and has no `autocommit`."""

    connection: Connection

    def execute(self, query: Any, vars: Any = None) -> None:
        if self._has_to_begin():
            query = "BEGIN;" + query
        super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        if self._has_to_begin():
            super().execute("BEGIN")
        super().executemany(query, vars_list)

    def _has_to_begin(self) -> bool:
        return not (self.connection.autocommit or self.connection.is_in_transaction())


#: For `create_engine`'s `connect_args`.
FACTORIES = {"connection_factory": Connection, "cursor_factory": Cursor}
