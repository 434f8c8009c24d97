"""What services publish is what others can read; found in the code, not listed here."""

import orjson
import pika
import pytest
from nameko.standalone.events import event_dispatcher

from chassis.broker.declarations import declare
from contracts.notifications.events import FeedGrew
from contracts.products.events import ProductsChanged
from contracts.users.events import SessionsEnded
from tests.contract import shapes
from tests.contract.samples import payloads
from tests.contract.scenario import PERSONAL
from tests.contract.services import SERVICES, broadcast, handlings, published
from tests.support import eventually

HANDLINGS, PUBLISHED, BROADCAST = handlings(), published(), broadcast()

#: What is needed of broadcasts, of which the code of a service says nothing by itself.
HEARD = {
    ("notifications", "feed_grew"): FeedGrew,
    ("users", "sessions_ended"): SessionsEnded,
    ("products", "catalog_changed"): ProductsChanged,
    ("inventory", "stock_changed"): ProductsChanged,
}

#: What may be told to everybody who can read a queue: ids, amounts and codes, and what the shop
#: calls its products and parcels. Nothing here holds a name, address, mail or message of anybody.
HARMLESS = {
    **dict.fromkeys(
        (
            "order_id",
            "user_id",
            "payment_id",
            "request_id",
            "notification_id",
            "reset_id",
            "verification_id",
            "change_id",
            "fulfilment_id",
            "cancellation_id",
        ),
        shapes.uuid,
    ),
    **dict.fromkeys(("amount", "total", "refunded_total"), shapes.money),
    **dict.fromkeys(("cause", "reason", "failure_code"), shapes.code),
    "ids": [shapes.number_id],  # of products
    "session_ids": [shapes.uuid],
    "currency": shapes.currency,
    "full": shapes.boolean,
    **dict.fromkeys(("number", "order_number"), shapes.text),  # of an order
    "left": shapes.count,  # of recovery codes
    "version": shapes.count,
    # A parcel, and what is in it: products by their names, how it travels.
    "lines": [
        {
            "line": shapes.number_id,
            "variant_id": shapes.number_id,
            "quantity": shapes.number_id,
            "name": shapes.text,
        }
    ],
    "places": [
        {
            "variant_id": shapes.number_id,
            "location": shapes.location,
            "quantity": shapes.number_id,
        }
    ],
    **dict.fromkeys(("location", "carrier", "tracking_number", "tracking_url"), shapes.text),
    "complete": shapes.boolean,
    # What staff did to which thing.
    "actor_id": shapes.uuid,
    **dict.fromkeys(("action", "actor_role", "target"), shapes.code),
    "target_id": lambda value: shapes.uuid(value) or value.isdecimal() or shapes.location(value),
    "network": shapes.network,
    "detail": shapes.harmless_facts,
}

each_handling = pytest.mark.parametrize("handling", HANDLINGS, ids=str)
each_event = pytest.mark.parametrize("event", PUBLISHED, ids=".".join)


def on_the_wire(schema):
    """Facts, and the JSON that their publisher makes of them."""
    return [(facts, orjson.loads(orjson.dumps(schema.dump(facts)))) for facts in payloads(schema)]


@each_handling
def test_what_is_handled_is_published(handling):
    """A handler waits for events that its source has."""
    assert (handling.source, handling.type) in PUBLISHED


@each_event
def test_what_is_published_is_handled(event):
    """Somebody has a queue for it: the outbox keeps what no queue takes, for ever."""
    assert event in {(one.source, one.type) for one in HANDLINGS}


@each_handling
def test_handlers_read_what_is_published(handling):
    """Every payload loads, and each fact that the handler reads is the one that was told."""
    for facts, payload in on_the_wire(PUBLISHED[handling.source, handling.type]):
        loaded = handling.schema().load(payload)
        assert loaded
        assert {name: facts.get(name) for name in loaded} == loaded


@each_handling
def test_handlers_outlive_new_facts(handling):
    """A publisher may tell more one day; who does not need it does not mind."""
    for _, payload in on_the_wire(PUBLISHED[handling.source, handling.type]):
        assert "news" not in handling.schema().load(payload | {"news": {"of": [1, None]}})


@pytest.mark.parametrize("event", PUBLISHED | BROADCAST, ids=".".join)
def test_events_have_no_room_for_anything_personal(event):
    """Their fields hold no personal data and no secret."""
    assert set((PUBLISHED | BROADCAST)[event].fields) <= set(HARMLESS)


def test_broadcasts_are_understood():
    """Who hears a broadcast reads what its publisher tells."""
    assert set(HEARD) == set(BROADCAST)
    for event, schema in BROADCAST.items():
        for facts, payload in on_the_wire(schema):
            assert HEARD[event]().load(payload) == facts


def test_nameko_dispatches_to_our_queues(config):
    """Exchanges, routing keys and queues have Nameko's names and form: an event of its own
    dispatcher reaches each handler once, and `declare` alone makes that so."""
    declare(config, SERVICES)
    dispatch = event_dispatcher(config, mandatory=True, use_confirms=True)
    for source, event_type in PUBLISHED:
        dispatch(source, event_type, {})
    with pika.BlockingConnection(pika.URLParameters(config["AMQP_URI"])) as connection:
        channel = connection.channel()

        def waiting():
            queues = [channel.queue_declare(one.queue, passive=True).method for one in HANDLINGS]
            return {queue.queue: queue.message_count for queue in queues}

        eventually(lambda: set(waiting().values()) == {1})


def test_every_event_was_told(traffic):
    """A day in the shop leaves none out; each is what its schema says, and nothing personal."""
    schemas = PUBLISHED | BROADCAST
    by_a_migration = {("orders", "order_awaits_shipping")}
    told = {(event.source, event.type) for event in traffic.told}
    assert told | by_a_migration == set(schemas)
    wrong = []
    for event in traffic.told:
        assert schemas[event.source, event.type].load(event.payload)
        shape = {name: HARMLESS[name] for name in schemas[event.source, event.type].fields}
        known = {name: value for name, value in event.payload.items() if value is not None}
        wrong += shapes.problems({name: shape[name] for name in known}, known, event.type)
        assert not any(word in str(event) for word in PERSONAL)
    assert wrong == []


def test_events_carry_what_their_handlers_rely_on(traffic):
    """An id of their own, the moment, their type; and they are written to disk."""
    events = [event for event in traffic.told if (event.source, event.type) in PUBLISHED]
    ids = [event.properties.message_id for event in events]
    assert all(shapes.uuid(one) for one in ids)
    assert len(set(ids)) == len(ids)
    for event in events:
        properties = event.properties
        assert shapes.moment(properties.headers["nameko.occurred_at"])
        assert properties.content_type == "application/json"
        assert properties.delivery_mode == 2
        assert (properties.app_id, properties.type) == (event.source, event.type)
