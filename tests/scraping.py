"""What a process tells Prometheus, for tests."""

import collections

import requests
from prometheus_client.parser import text_string_to_metric_families


class Samples(collections.defaultdict):
    """`samples["shop_work_total"]`: value by labels, which are frozen sets of pairs."""

    def __init__(self, text):
        super().__init__(dict)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self[sample.name][frozenset(sample.labels.items())] = sample.value

    def value(self, name, **labels):
        """The sum of those that have these labels."""
        found = (v for k, v in self[name].items() if labels.items() <= dict(k).items())
        return sum(found)

    @property
    def series(self):
        return {(name, labels) for name, values in self.items() for labels in values}


class Scraper:
    """`scraper()`: the samples of now; `since(before)`: how much they have grown."""

    def __init__(self, port):
        self.port = port
        self.url = f"http://127.0.0.1:{port}/metrics"

    def __call__(self):
        answer = requests.get(self.url, timeout=5)
        assert answer.status_code == 200
        return Samples(answer.text)

    def since(self, before):
        """`value(name, **labels)`, less what it was in `before`."""
        now = self()
        return lambda name, **labels: now.value(name, **labels) - before.value(name, **labels)
