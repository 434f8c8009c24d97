"""What an operator sees of an order in traces, and what nobody may see there."""

import pytest

from chassis.tracing import export
from tests.collector import collecting
from tests.e2e.client import Client, new_email
from tests.e2e.shop import running

ORDER, PAY = "0af7651916cd43dd8448eb211c80319c", "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "b7ad6b7169203331"
CARD = "4242424242424242"
PASSWORD = "planted-Passw0rd"
PROFILE = {"first_name": "Plantina", "last_name": "Plantsson", "phone": "+31612345678"}
ADDRESS = {
    "line1": "Plantedstreet 17",
    "city": "Plantedville",
    "postal_code": "9988 XY",
    "country": "NL",
}

PLACED, PAID = "orders.events:order_placed", "orders.events:order_paid"
MAIL = "notifications: email deliver CLIENT"


def traced(trace_id):
    return {"traceparent": f"00-{trace_id}-{CALLER}-01"}


@pytest.fixture(scope="module")
def collector():
    with collecting() as collector, pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "EVERY", 0.2)
        yield collector


@pytest.fixture(scope="module")
def shop(vhost, databases, tmp_path_factory, collector):
    """All services, everything recorded."""
    tracing = {"endpoint": collector.url}
    with running(vhost, databases, tmp_path_factory.mktemp("outbox"), tracing=tracing) as shop:
        yield shop


@pytest.fixture(scope="module")
def secrets(shop):
    """A buyer signs up, fills a cart, orders and pays; what of that is nobody's business."""
    email = new_email()
    buyer = Client(shop.url)
    buyer.post("/api/users/signup", {"email": email, "password": PASSWORD} | PROFILE, 201)
    tokens = buyer.post("/api/users/login", {"email": email, "password": PASSWORD})
    buyer.token = tokens["access_token"]
    buyer.post("/api/users/login", {"email": email, "password": PASSWORD + "!"}, 401)
    confirming = shop.token(email, "Confirm your email address")
    buyer.post("/api/users/email/verify", {"token": confirming}, 204)
    buyer.post("/api/users/addresses", ADDRESS, 201)
    product = shop.product()
    buyer.post("/api/carts/add_item", {"product_id": product["id"], "quantity": 2})
    buyer.get(f"/api/products?search={ADDRESS['city']}")
    order = buyer.post("/api/orders", {"shipping_address": ADDRESS}, 201, headers=traced(ORDER))
    refused = {"order_id": order["id"], "method": {"type": "card", "token": CARD}}
    buyer.post("/api/payments", refused, 422)
    paying = {"order_id": order["id"], "method": {"type": "card", "token": "tok_visa"}}
    assert buyer.post("/api/payments", paying, 201, headers=traced(PAY))["status"] == "succeeded"
    return [
        email, PASSWORD, CARD, "tok_visa", tokens["access_token"], tokens["refresh_token"],
        confirming,
        *PROFILE.values(), *(value for name, value in ADDRESS.items() if name != "country"),
    ]  # fmt: skip


@pytest.mark.usefixtures("secrets")
def test_an_order_is_one_trace_from_the_door_to_the_mail(collector, eventually):
    """Calls, the outbox, the broker, the handler and the mail, each below what set it going."""
    edges = [
        ("gateway: POST /api/orders SERVER", "gateway: orders.place CLIENT"),
        ("gateway: orders.place CLIENT", "orders: orders.place SERVER"),
        ("orders: orders.place SERVER", "orders: inventory.reserve CLIENT"),
        ("orders: inventory.reserve CLIENT", "inventory: inventory.reserve SERVER"),
        ("orders: orders.place SERVER", f"orders: send {PLACED} PRODUCER"),
        (f"orders: send {PLACED} PRODUCER", f"notifications: process {PLACED} CONSUMER"),
        (f"notifications: process {PLACED} CONSUMER", MAIL),
    ]
    eventually(lambda: collector.edges(ORDER) >= set(edges), timeout=20)
    (root,) = (span for span in collector.of(ORDER) if span.name == "POST /api/orders")
    assert root.parent_id == CALLER
    assert root.attributes == {
        "http.request.method": "POST",
        "http.route": "/api/orders",
        "http.response.status_code": 201,
        "url.scheme": "http",
    }
    (mail,) = (span for span in collector.of(ORDER) if span.told == MAIL)
    assert collector.way(mail) == [
        edges[0][0],
        *edges[1],
        *edges[5],
        MAIL,
    ]


@pytest.mark.usefixtures("secrets")
def test_a_payment_is_one_trace_across_all_services(collector, eventually):
    """The provider too, and the statements that are its books; whoever finishes the order, the
    call or the news of its payment, does so in this trace."""
    edges = {
        ("gateway: POST /api/payments SERVER", "gateway: orders.pay CLIENT"),
        ("orders: orders.pay SERVER", "orders: payments.charge CLIENT"),
        ("orders: payments.charge CLIENT", "payments: payments.charge SERVER"),
        ("payments: payments.charge SERVER", "payments: simulator charge CLIENT"),
        (f"orders: send {PAID} PRODUCER", f"inventory: process {PAID} CONSUMER"),
        (f"orders: send {PAID} PRODUCER", f"notifications: process {PAID} CONSUMER"),
        (f"notifications: process {PAID} CONSUMER", MAIL),
    }
    eventually(lambda: not edges - collector.edges(PAY), timeout=20)
    assert any(above == "payments: simulator charge CLIENT" for above, _ in collector.edges(PAY))
    asked = next(span for span in collector.of(PAY) if span.name == "simulator charge")
    assert asked.attributes == {"payment.provider": "simulator", "payment.operation": "charge"}
    for span in collector.of(PAY):
        if span.name == f"process {PAID}":
            eventually(lambda s=span: collector.way(s)[0] == "gateway: POST /api/payments SERVER")


@pytest.mark.usefixtures("secrets")
def test_all_of_a_trace_hangs_together(collector, eventually):
    """Each span has its parent in the trace, up to the caller's own, and lies within its time
    where somebody waits for it."""

    def nobodys():
        spans = [*collector.of(ORDER), *collector.of(PAY)]
        ids = {span.id for span in spans} | {CALLER}
        return [span.told for span in spans if span.parent_id not in ids]

    eventually(lambda: collector.of(PAY) and not nobodys(), timeout=20)
    for span in [*collector.of(ORDER), *collector.of(PAY)]:
        above = collector.parent(span)
        waits = above and span.kind == "CLIENT" and span.told != MAIL  # which is put off
        if waits:
            assert above.began <= span.began <= span.ended, span
            assert span.ended <= above.ended, (span, above)


@pytest.mark.usefixtures("secrets")
def test_statements_are_told_with_places_for_their_values(collector, eventually):
    """By the database's conventions, and as they are written."""
    statements = eventually(
        lambda: [span for span in collector.of(ORDER) if "db.system.name" in span.attributes]
    )
    assert {span.kind for span in statements} == {"CLIENT"}
    for span in statements:
        about = span.attributes
        assert about["db.system.name"] == "postgresql"
        assert about["db.namespace"].endswith(
            {"inventory": "products", "carts": "orders"}.get(span.service, span.service)
        )
        assert about["db.operation.name"] == about["db.query.summary"].split()[0]
        assert about["db.query.summary"] == span.name
    assert any("%(" in span.attributes["db.query.text"] for span in statements)


@pytest.mark.usefixtures("secrets")
def test_events_say_how_long_they_lay_in_the_outbox(collector, eventually):
    """From the commit's transaction to the broker, by messaging's conventions."""
    (sent,) = eventually(
        lambda: [span for span in collector.of(ORDER) if span.name == f"send {PLACED}"]
    )
    assert 0 <= sent.attributes.pop("outbox.delay_seconds") < 5
    assert len(sent.attributes.pop("messaging.message.id")) == 36
    assert sent.attributes == {
        "messaging.system": "rabbitmq",
        "messaging.destination.name": PLACED,
        "messaging.rabbitmq.destination.routing_key": "order_placed",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
    }


@pytest.mark.usefixtures("secrets")
def test_refusals_are_answers_and_no_errors(collector, eventually):
    """A wrong password: the code is there, and nothing is red."""
    (served,) = eventually(
        lambda: [
            span
            for span in collector.named("users.login")
            if span.kind == "SERVER" and "rpc.response.status_code" in span.attributes
        ]
    )
    assert served.attributes == {
        "rpc.system.name": "nameko",
        "rpc.method": "users.login",
        "rpc.response.status_code": "bad_credentials",
    }
    assert not served.failed
    (root,) = eventually(
        lambda: [span for span in collector.of(served.trace_id) if not span.parent_id]
    )
    assert (root.attributes["http.response.status_code"], root.failed) == (401, False)


def test_nothing_personal_and_nothing_that_pays_is_in_any_span(collector, secrets, eventually):
    """Searched is every byte that has left, from sign-up to the mails."""
    eventually(lambda: MAIL in {span.told for span in collector.of(PAY)}, timeout=20)
    sent = b"".join(collector.bodies)
    assert b"orders.place" in sent
    assert [secret for secret in secrets if secret.encode() in sent] == []


@pytest.mark.usefixtures("secrets")
def test_problems_and_logs_name_the_trace(shop, collector, logged, eventually):
    """What the client is told is what the collector and the log have."""
    problem = shop.nobody.get("/api/orders", 401)
    assert eventually(lambda: collector.of(problem["trace_id"]))
    assert any(problem["trace_id"] in line for line in logged)


def test_what_asks_all_the_time_is_not_recorded(shop, collector, eventually):
    """Probes begin no trace, neither at the door nor in the services behind it."""
    asked = f"{99:032x}"
    shop.nobody.get("/readyz")
    shop.nobody.get("/readyz", headers=traced(asked))
    later = shop.nobody.get("/api/orders", 401)["trace_id"]
    eventually(lambda: collector.of(later))
    assert collector.of(asked) == []
    assert not any("health" in span.name or "readyz" in span.name for span in collector.spans)
