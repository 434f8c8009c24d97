"""Names and attributes of spans, by OpenTelemetry's semantic conventions.

A call is RPC, though RabbitMQ carries it: somebody waits for the answer, and two spans that say
"publish" and "process" would hide who called what. An event is messaging: nobody waits.

What could name a person is left out on purpose: paths (the route is there), queries, addresses of
clients, parameters of statements, texts of errors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from opentelemetry.semconv._incubating.attributes.messaging_attributes import (
    MESSAGING_BATCH_MESSAGE_COUNT,
    MESSAGING_DESTINATION_NAME,
    MESSAGING_DESTINATION_SUBSCRIPTION_NAME,
    MESSAGING_MESSAGE_ID,
    MESSAGING_OPERATION_NAME,
    MESSAGING_OPERATION_TYPE,
    MESSAGING_RABBITMQ_DESTINATION_ROUTING_KEY,
    MESSAGING_SYSTEM,
    MessagingOperationTypeValues,
    MessagingSystemValues,
)
from opentelemetry.semconv._incubating.attributes.rpc_attributes import RPC_METHOD, RPC_SYSTEM_NAME
from opentelemetry.semconv.attributes.db_attributes import (
    DB_NAMESPACE,
    DB_OPERATION_NAME,
    DB_QUERY_SUMMARY,
    DB_QUERY_TEXT,
    DB_SYSTEM_NAME,
    DbSystemNameValues,
)
from opentelemetry.semconv.attributes.http_attributes import HTTP_REQUEST_METHOD, HTTP_ROUTE
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT
from opentelemetry.semconv.attributes.url_attributes import URL_SCHEME
from sqlalchemy import URL

from chassis.broker.topology import exchange_of

Described = tuple[str, dict[str, Any]]

#: Seconds from the commit's transaction to the relay; an attribute of our own.
OUTBOX_DELAY = "outbox.delay_seconds"

_SEND = MessagingOperationTypeValues.SEND.value
_PROCESS = MessagingOperationTypeValues.PROCESS.value
_OPERATION = re.compile(r"\s*(\w+)")
#: The first table; what is followed by a bracket at once is a function.
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE|JOIN)\s+(\w+)\b(?!\()", re.IGNORECASE)


def http_request(method: str, route: str) -> Described:
    """A request that has found its route."""
    about = {HTTP_REQUEST_METHOD: method, HTTP_ROUTE: route, URL_SCHEME: "http"}
    return f"{method} {route}", about


@lru_cache(maxsize=1024)
def rpc(service: str, method: str) -> Described:
    """A call, on either side."""
    name = f"{service}.{method}"
    return name, {RPC_SYSTEM_NAME: "nameko", RPC_METHOD: name}


def sending(row: Any) -> Described:
    """An outbox row on its way."""
    name, about = _message(row["source"], row["type"], _SEND)
    return name, about | {MESSAGING_MESSAGE_ID: str(row["event_id"])}


def processing(source: str, event_type: str, queue: str) -> Described:
    """Events of one type in a handler's hands."""
    name, about = _message(source, event_type, _PROCESS)
    return name, about | {MESSAGING_DESTINATION_SUBSCRIPTION_NAME: queue}


def of_message(event: Any) -> dict[str, Any]:
    """Which event it is."""
    return {MESSAGING_MESSAGE_ID: str(event.id)}


def of_batch(size: int) -> dict[str, Any]:
    """How many events one handler has in hand."""
    return {MESSAGING_BATCH_MESSAGE_COUNT: size}


def _message(source: str, event_type: str, operation: str) -> Described:
    destination = f"{exchange_of(source)}:{event_type}"
    about = {
        MESSAGING_SYSTEM: MessagingSystemValues.RABBITMQ.value,
        MESSAGING_DESTINATION_NAME: destination,
        MESSAGING_RABBITMQ_DESTINATION_ROUTING_KEY: event_type,
        MESSAGING_OPERATION_NAME: operation,
        MESSAGING_OPERATION_TYPE: operation,
    }
    return f"{operation} {destination}", about


def database(url: URL) -> Mapping[str, Any]:
    """What all statements to one database have in common."""
    about: dict[str, Any] = {
        DB_SYSTEM_NAME: DbSystemNameValues.POSTGRESQL.value,
        DB_NAMESPACE: url.database or "",
        SERVER_ADDRESS: url.host or "localhost",
    }
    return about | ({SERVER_PORT: url.port} if url.port else {})


@lru_cache(maxsize=512)
def statement(text: str) -> Described:
    """A statement as it is written, with places for its parameters."""
    found = _OPERATION.match(text)
    operation = found[1].upper() if found else "OTHER"
    table = _TABLE.search(text)
    summary = f"{operation} {table[1]}" if table else operation
    about = {DB_OPERATION_NAME: operation, DB_QUERY_SUMMARY: summary, DB_QUERY_TEXT: text}
    return summary, about
