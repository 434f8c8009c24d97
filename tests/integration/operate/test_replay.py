"""`shop dead-letters replay`: in order, to one handler, and lost by nothing."""

import os
import signal
import subprocess
import sys
import uuid

import orjson
import pika
from pika.exceptions import AMQPError

from products.service import InventoryService, ProductsService
from shop.operate.dead_letters import box
from tests.integration import events
from tests.integration.operate.letters import BOX, NOW, PAID, SHIPPED, texts
from tests.support import eventually, statements


def test_replay_keeps_order_and_identity(run, park, lying):
    """The handler's own queue gets them in their order, with their ids and all attempts anew;
    what was not asked for stays."""
    ids = [park("a"), park("b"), park("other", SHIPPED), park("c"), park("d")]
    wanted = ("--event", "order_paid", "--limit", "3", "--json")
    dry = run("dead-letters", "replay", "--dry-run", *wanted)
    assert [one["id"] for one in dry["replayed"]] == [ids[0], ids[1], ids[3]]
    assert lying.depth(PAID) == 0
    done = run("dead-letters", "replay", *wanted)
    assert (len(done["replayed"]), done["more"], done["left"]) == (3, 1, [])
    found = lying(PAID)
    assert texts(found) == ["a", "b", "c"]
    assert [one.message_id for _, one, _ in found] == [ids[0], ids[1], ids[3]]
    for _, properties, _ in found:
        assert properties.delivery_mode == 2
        assert not {"x-attempts", "x-parked-from", "x-parked-at"} & properties.headers.keys()
        assert properties.headers["nameko.request_id"] == "r-1"
    assert texts(lying(BOX)) == ["other", "d"]


def test_what_can_not_be_put_back_stays(run, park, lying, channel):
    """Its queue is gone, it is no event, or too old for its handler to know it: each says why."""
    park("gone", "evt-orders-order_lost--notifications.on_lost")
    park("call", "rpc-users")
    park("old", age=40 * 86400)
    told = run("dead-letters", "replay", "--json", code=1)
    assert [one["left"].split(":")[0] for one in told["left"]] == [
        "its queue is full or gone",
        "it is no event",
        "older than 30 days",
    ]
    assert "left where it is" in run("dead-letters", "replay", code=1)
    assert texts(lying(BOX)) == ["gone", "call", "old"]
    assert len(run("dead-letters", "replay", "--even-old", "--json", code=1)["replayed"]) == 1


def test_a_full_queue_is_overtaken_by_nothing(run, park, lying, channel):
    """Once a queue refuses one, the later ones for it wait too."""
    queue = "evt-orders-order_full--notifications.on_full"
    arguments = {"x-queue-type": "quorum", "x-max-length": 1, "x-overflow": "reject-publish"}
    channel.queue_declare(queue, durable=True, arguments=arguments)
    for text in "abcdefgh":
        park(text, queue)
    run("dead-letters", "replay", code=1)
    through, waiting = texts(lying(queue)), texts(lying(BOX))
    assert through + waiting == list("abcdefgh")
    channel.queue_delete(queue)


def test_an_exception_before_the_acknowledgement_loses_nothing(run, park, lying, monkeypatch):
    """At the worst point the letter is in both queues; the repeat has the same id."""
    ids = [park("a"), park("b")]
    real, calls = box.put, []

    def put(channel, *arguments):
        done = real(channel, *arguments)
        calls.append(done)
        if len(calls) == 2:
            channel.connection.sleep(0)
            raise AMQPError("cut off")
        return done

    monkeypatch.setattr("shop.operate.dead_letters.replay.put", put)
    assert "1 letter put back before that" in run("dead-letters", "replay", code=2)
    eventually(lambda: lying.depth(BOX) == 1)
    run("dead-letters", "replay")
    assert [one.message_id for _, one, _ in lying(PAID)] == [ids[0], ids[1], ids[1]]


def test_killed_in_the_middle(run, park, lying, config):
    """kill -9 while it replays: each letter is in one of the queues or in both, and a second run
    brings the rest, in their order."""
    number = 400
    ids = [park(str(n)) for n in range(number)]
    command = [sys.executable, "-W", "ignore", "-c", "from shop.cli import main; main()"]
    process = subprocess.Popen(
        [*command, "dead-letters", "replay", "--queue", "notifications", "--limit", "1000"],
        env=os.environ | {"AMQP_URI": config["AMQP_URI"]},
        stdout=subprocess.DEVNULL,
    )
    eventually(lambda: lying.depth(PAID) > number // 10, timeout=60, every=0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    eventually(lambda: lying.depth(BOX) + lying.depth(PAID) >= number)
    assert 0 < lying.depth(BOX) < number, "killed too early or too late"
    run("dead-letters", "replay", "--limit", "1000")
    there = [one.message_id for _, one, _ in lying(PAID)]
    assert list(dict.fromkeys(there)) == ids
    assert lying.depth(BOX) == 0


def test_a_running_handler_applies_it_once(run, amqp, start, config):
    """Put back twice, because somebody was interrupted: its inbox has it once, and it stays out of
    the dead letters."""
    _, inventory = start(ProductsService, InventoryService)
    order, event = uuid.uuid4(), uuid.uuid4()
    headers = {
        "nameko.occurred_at": NOW.isoformat(),
        "x-parked-from": "evt-orders-order_cancelled--inventory.on_order_cancelled",
        "x-parked-why": "OperationalError after 6 attempts",
    }
    body = orjson.dumps(events.of_order(order))
    for _ in range(2):
        amqp.channel().basic_publish(
            "",
            "inventory.dead-letters",
            body,
            pika.BasicProperties(message_id=str(event), headers=headers),
        )
    eventually(lambda: run("dead-letters", "list", "--json")["queues"]["inventory.dead-letters"])
    run("dead-letters", "replay", "--queue", "inventory")
    with statements(inventory.config, "products") as rows:
        eventually(lambda: rows("SELECT 1 FROM reservations WHERE order_id = :id", id=order))
        assert [row["event_id"] for row in rows("SELECT event_id FROM inbox")] == [event]
    assert run("dead-letters", "list", "--json")["letters"] == []
