"""What the tests of backups have in common."""

import sqlalchemy as sa

from chassis import config as configuration


def rows(url, package, statement):
    engine = sa.create_engine(configuration.database_url({"DATABASE_URL": url}, package))
    with engine.begin() as connection:
        found = connection.execute(sa.text(statement))
        result = [tuple(row) for row in found] if found.returns_rows else []
    engine.dispose()
    return result


def count_of(url, table):
    return rows(url, "orders", f"SELECT count(*) FROM {table}")[0][0]
