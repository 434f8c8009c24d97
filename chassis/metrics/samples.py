"""Gauges that are read off the services of a process when somebody asks."""

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from chassis.gauges import Sample
from chassis.hooks import hooks_of


def families(samples: Iterable[tuple[str, Sample]]) -> Iterator[Metric]:
    """Each metric with its samples, which came with the service that they are of."""
    found: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
    for service, sample in samples:
        metric = found.get(sample.name)
        if metric is None:
            is_counter = sample.name.endswith("_total")
            of_kind = CounterMetricFamily if is_counter else GaugeMetricFamily
            names = ("service", *sample.labels)
            metric = found[sample.name] = of_kind(sample.name, sample.help, labels=names)
        metric.add_metric((service, *sample.labels.values()), sample.value)
    yield from found.values()


def samples_of(container: Any) -> Iterator[tuple[str, Sample]]:
    """Those of a container and of all its extensions."""
    for part in (container, *hooks_of(container)):
        for sample in part.samples():
            yield container.service_name, sample
