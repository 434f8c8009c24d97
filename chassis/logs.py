"""Log lines: readable in a terminal, JSON where a machine reads them.

config.yaml's LOGGING names `Formatter`. Every line has the moment, the level, the service and the
request id; nobody logs personal data, tokens or payloads.
"""

import logging
import sys
from typing import Any

import structlog

_SHARED = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

structlog.configure(
    processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)


class Formatter(structlog.stdlib.ProcessorFormatter):
    """Renders structlog's and the standard library's records alike; `style` is console or json."""

    def __init__(self, *args: Any, style: str = "console", **kwargs: Any):
        if style == "json":
            renderer: Any = structlog.processors.JSONRenderer()
            last = [structlog.processors.format_exc_info, renderer]
        else:
            renderer = structlog.dev.ConsoleRenderer(
                colors=sys.stdout.isatty(),
                # The default shows the values of variables too: addresses, passwords, tokens.
                exception_formatter=structlog.dev.plain_traceback,
            )
            last = [_short_time, renderer]
        super().__init__(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
            foreign_pre_chain=_SHARED,
        )


class NoExpectedFaults(logging.Filter):
    """Drops Nameko's report of errors that are an answer ("not found") and no news."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("(expected) error handling worker")


def _short_time(logger: Any, name: str, event: dict[str, Any]) -> dict[str, Any]:
    event["timestamp"] = event["timestamp"][11:23]
    return {key: value for key, value in event.items() if value is not None}
