"""Gauges that are read off the services of a process when somebody asks."""

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from chassis.metrics.reading import Reading


def families(readings: Iterable[tuple[str, Reading]]) -> Iterator[Metric]:
    """Each metric with its readings, which came with the service that they are of."""
    found: dict[str, Metric] = {}
    for service, reading in readings:
        metric = found.get(reading.name)
        if metric is None:
            is_counter = reading.name.endswith("_total")
            of_kind = CounterMetricFamily if is_counter else GaugeMetricFamily
            names = ("service", *reading.labels)
            metric = found[reading.name] = of_kind(reading.name, reading.help, labels=names)
        metric.add_metric((service, *reading.labels.values()), reading.value)
    yield from found.values()


def readings_of(container: Any) -> Iterator[tuple[str, Reading]]:
    """Those of a container and of all its extensions."""
    for part in (container, *container.extensions):
        if hasattr(part, "readings"):
            for reading in part.readings():
                yield container.service_name, reading
