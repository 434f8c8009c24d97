"""What the whole shop tells Prometheus while somebody buys, and what alerts and panels ask for."""

import re
import types

import pytest
import requests
from nameko.testing.utils import find_free_port

from chassis.metrics import database
from chassis.web import route_table
from gateway.service import GatewayService
from tests import telemetry
from tests.e2e.client import new_email
from tests.e2e.shop import running_anew
from tests.scraping import Scraper
from tests.support import eventually, run_timer

#: What is asked of RabbitMQ's own plugin, `rabbitmq_prometheus`; looked up in 3.10 and 4.0.
OF_RABBITMQ = {
    "rabbitmq_alarms_free_disk_space_watermark",
    "rabbitmq_alarms_memory_used_watermark",
    "rabbitmq_detailed_queue_consumers",
    "rabbitmq_detailed_queue_messages",
    "rabbitmq_detailed_queue_messages_ready",
    "rabbitmq_disk_space_available_bytes",
    "rabbitmq_disk_space_available_limit_bytes",
    "rabbitmq_process_resident_memory_bytes",
    "rabbitmq_resident_memory_limit_bytes",
}


#: A metric of ours with its matchers, and one of these that has to match.
_SELECTOR = re.compile(r"\b(shop_\w+){([^}]*)}")
_MATCHER = re.compile(r'(\w+)=~?"([^"]*)"')


@pytest.fixture(scope="module")
def shop(new_vhost, databases, tmp_path_factory):
    """All services, which share a port for their metrics, with empty books."""
    outbox, port = tmp_path_factory.mktemp("outbox"), find_free_port()
    with (
        pytest.MonkeyPatch.context() as patch,
        running_anew("metrics", new_vhost, databases, outbox, METRICS_PORT=port) as shop,
    ):
        patch.setattr(database, "FRESH", 0)  # asked as often as one likes
        shop.scrape = Scraper(port)
        (payments,) = (one for one in shop.containers if one.service_name == "payments")
        run_timer(payments, "compare_books")
        yield shop


@pytest.fixture(scope="module")
def bought(shop):
    """Samples before somebody bought, with the order, and when it was paid."""
    buyer, product, before = shop.customer(), shop.product(), shop.scrape()
    order = shop.order(buyer, product)
    ordered = shop.scrape()
    shop.pay(buyer, order)
    eventually(lambda: list(shop.outbox.glob("*.eml")), timeout=20)
    published = {"service": "orders", "event": "order_paid"}
    eventually(lambda: shop.scrape.since(before)("shop_events_published_total", **published) == 1)
    return types.SimpleNamespace(before=before, ordered=ordered, paid=shop.scrape())


def test_an_order_is_seen(shop, bought):
    """At the door, at each service on its way, as events, at the provider and as a mail."""
    grown = shop.scrape.since(bought.before)
    placed = {"method": "POST", "route": "/api/orders"}
    assert grown("shop_http_requests_total", status="2xx", **placed) == 1
    assert grown("shop_http_request_seconds_count", **placed) == 1
    for service, method in {
        "orders": "place",
        "payments": "charge",
        "inventory": "reserve",
    }.items():
        names = {"service": service, "entrypoint": method, "outcome": "ok"}
        assert grown("shop_work_total", **names) >= 1
    settled = {"service": "inventory", "entrypoint": "on_order_paid", "outcome": "ok"}
    assert eventually(lambda: shop.scrape.since(bought.before)("shop_work_total", **settled) == 1)
    assert grown("shop_events_published_total", event="order_placed") == 1
    charge = {"provider": "simulator", "operation": "charge"}
    assert grown("shop_provider_calls_total", outcome="ok", **charge) == 1
    assert grown("shop_provider_call_seconds_count", **charge) == 1
    assert eventually(
        lambda: shop.scrape.since(bought.before)(
            "shop_provider_calls_total", provider="email", outcome="ok"
        )
    )


def test_what_is_held_for_whom(bought):
    """An order holds stock until it is paid for."""
    assert bought.ordered.value("shop_reservations_held") == 1
    assert bought.ordered.value("shop_reservations_overdue") == 0
    assert bought.paid.value("shop_reservations_held") == 0
    assert bought.paid.value("shop_checkouts") == bought.paid.value("shop_payments_open") == 0


def test_a_declined_card_is_an_answer(shop):
    """It is told apart from a provider that fails."""
    buyer, before = shop.customer(), shop.scrape()
    shop.pay(buyer, shop.order(buyer, shop.product()), "tok_declined")
    grown = shop.scrape.since(before)
    charge = {"provider": "simulator", "operation": "charge"}
    assert grown("shop_provider_calls_total", outcome="declined", **charge) == 1


def test_a_refused_webhook_is_counted(shop):
    """By provider and reason; a provider that nobody knows is not."""
    before = shop.scrape()
    for provider in ("simulator", new_email()):
        address = f"{shop.url}/api/payments/webhooks/{provider}"
        requests.post(address, json={"id": "1", "type": "charge"}, timeout=5)
    grown = shop.scrape.since(before)
    assert grown("shop_webhooks_refused_total") == 1
    assert grown("shop_webhooks_refused_total", provider="simulator", reason="unsigned") == 1


def test_whatever_is_sent_makes_no_series(shop):
    """Paths, methods, ids and queries that nobody foresaw: one series for each class of status."""
    for method, path in (("GET", "/nonsense"), ("GET", "/api/products/0"), ("X0", "/")):
        requests.request(method, shop.url + path, timeout=5)
    before = shop.scrape().series
    for number in range(1, 20):
        name = f"{number}{new_email()}"
        requests.get(f"{shop.url}/{name}", params={name: name}, timeout=5)
        requests.get(f"{shop.url}/api/products/99999{number}", timeout=5)
        requests.request(f"X{number}", f"{shop.url}/api/products", timeout=5)
        requests.request(f"X{number}", f"{shop.url}/{name}", timeout=5)
    grown = shop.scrape().series - before
    assert {dict(labels).get("route") for _, labels in grown} <= {"/api/products/{product_id}"}
    assert len(grown) <= 1  # its first answer of that kind


def test_each_label_is_one_of_few(shop):
    """Templates of routes, never paths; no label has an id in it."""
    templates = {route.path for route in route_table(GatewayService).values()} | {"-"}
    samples = shop.scrape()
    for labels in map(dict, samples["shop_http_requests_total"]):
        # Toys of other tests have been in this process, too.
        assert labels["service"] != "gateway" or labels["route"] in templates
    for _, labels in samples.series:
        assert not any(len(value) > 80 or "@" in value for value in dict(labels).values())


def test_all_that_is_asked_for_is_there(shop, bought):
    """No alert or panel names a metric that nobody exports."""
    told = set(shop.scrape())
    asked = telemetry.metrics_asked_for()
    assert asked - told - OF_RABBITMQ == set()
    assert asked >= OF_RABBITMQ


def test_what_is_asked_for_has_these_labels(shop, bought):
    """A label that no series has, or a value that it never takes, would never match anything."""
    samples = shop.scrape()
    for expression in telemetry.expressions():
        for metric, matchers in _SELECTOR.findall(expression):
            for label, value in _MATCHER.findall(matchers):
                values = {dict(labels).get(label) for labels in samples[metric]} - {None}
                assert any(re.fullmatch(value, each) for each in values), (metric, label, value)


def test_all_that_is_told_is_explained(shop, bought):
    """Each metric is in the table of docs/metrics.md."""
    page = (telemetry.ROOT / "docs" / "metrics.md").read_text()
    suffixes = ("_bucket", "_sum", "_count")
    for name in shop.scrape():
        base = next((name.removesuffix(s) for s in suffixes if name.endswith(s)), name)
        assert not name.startswith("shop_") or f"`{base}`" in page, base
