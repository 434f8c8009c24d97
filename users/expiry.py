"""Rows that are over are deleted so many at a time; several instances may do so at once."""

from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session


def delete_some(
    session: Session, key: InstrumentedAttribute[Any], is_over: ColumnElement[bool], limit: int
) -> None:
    """Delete rows that are over, `limit` at most; `key` is their primary key."""
    over = select(key).where(is_over).limit(limit).with_for_update(skip_locked=True)
    session.execute(delete(key.class_).where(key.in_(over)))
