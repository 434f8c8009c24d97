"""The databases of all services, to be read side by side.

Services never do this: it is an auditor's view, and only reads.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import sqlalchemy as sa

from chassis import config as configuration
from shop.packages import DATABASE_PACKAGES

#: Seconds for a server to accept a connection.
_PATIENCE = 5


class Books:
    """`books.rows("orders", "SELECT ...")`; a context manager that closes what it opened."""

    def __init__(self, config: Mapping[str, Any]):
        options = "-c default_transaction_read_only=on -c timezone=UTC"
        self._engines = {
            package: sa.create_engine(
                configuration.database_url(dict(config), package),
                isolation_level="AUTOCOMMIT",
                connect_args={
                    "application_name": "verify",
                    "options": options,
                    "connect_timeout": _PATIENCE,
                },
            )
            for package in DATABASE_PACKAGES
        }

    def rows(
        self, package: str, statement: str | sa.Select[Any], **values: Any
    ) -> list[sa.Row[Any]]:
        """What `statement` finds in the database of `package`."""
        query = sa.text(statement) if isinstance(statement, str) else statement
        with self._engines[package].connect() as connection:
            return list(connection.execute(query, values))

    def value(self, package: str, statement: str, **values: Any) -> Any:
        """The first column of the first row."""
        return self.rows(package, statement, **values)[0][0]

    def __enter__(self) -> "Books":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for engine in self._engines.values():
            engine.dispose()
