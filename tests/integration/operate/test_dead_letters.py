"""`shop dead-letters`: what was parked is found, put back in order and lost by nothing."""

import datetime
import os
import signal
import subprocess
import sys
import uuid

import orjson
import pika
import pytest
import requests
from pika.exceptions import AMQPError

from products.service import InventoryService, ProductsService
from shop.operate.dead_letters import box
from tests.support import eventually, statements

BOX = "notifications.dead-letters"
PAID = "evt-orders-order_paid--notifications.on_order_paid"
SHIPPED = "evt-orders-order_shipped--notifications.on_order_shipped"
NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture
def queues(channel):
    """The queues of two handlers, whatever they are called."""
    for queue in (PAID, SHIPPED):
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})


@pytest.fixture
def park(channel, queues):
    """`park("text")`: a dead letter as the chassis leaves it; its id."""

    def put(text, origin=PAID, age=60, why="KeyError after 6 attempts", body=None, **headers):
        message_id = str(uuid.uuid4())
        moment = (NOW - datetime.timedelta(seconds=age)).isoformat()
        ours = {"x-parked-from": origin, "x-parked-why": why, "x-parked-at": moment}
        event = {"nameko.occurred_at": moment, "nameko.request_id": "r-1", "x-attempts": 5}
        properties = pika.BasicProperties(
            message_id=message_id,
            type="order_paid",
            content_type="application/json",
            headers=event | ours | headers,
        )
        channel.basic_publish(
            "", BOX, orjson.dumps({"text": text}) if body is None else body, properties
        )
        return message_id

    channel.confirm_delivery()
    return put


@pytest.fixture
def lying(amqp):
    """`lying(queue)`: the messages in a queue, in their order; they stay there."""

    def look(queue):
        channel, found = amqp.channel(), []
        while (one := channel.basic_get(queue))[0] is not None:
            found.append(one)
        channel.close()
        eventually(lambda: depth(queue) == len(found))
        return found

    def depth(queue):
        channel = amqp.channel()
        count = channel.queue_declare(queue, passive=True).method.message_count
        channel.close()
        return count

    look.depth = depth
    return look


def texts(found):
    return [orjson.loads(body)["text"] for _, _, body in found]


def test_listing_changes_nothing(run, park, lying):
    """By queue, event and age; as often as one likes, the letters lie there in their order."""
    ids = [park("a", age=7200), park("b", SHIPPED), park("c")]
    listed = run("dead-letters", "list", "--json")
    assert [letter["id"] for letter in listed["letters"]] == ids
    assert listed["queues"][BOX] == 3
    assert [letter["event"] for letter in listed["letters"]] == [
        "order_paid",
        "order_shipped",
        "order_paid",
    ]

    def some(*arguments):
        found = run("dead-letters", "list", "--json", *arguments)
        return [ids.index(letter["id"]) for letter in found["letters"]]

    assert some("--event", "order_shipped") == [1]
    assert some("--older-than", "1h") == [0]
    assert some("--younger-than", "1h", "--event", "order_paid") == [2]
    assert some("--queue", "notifications", "--limit", "2") == [0, 1]
    assert some("--queue", SHIPPED) == [1]
    assert some("--queue", "orders") == []
    assert texts(lying(BOX)) == ["a", "b", "c"]
    shown = run("dead-letters", "list")
    assert "KeyError after 6 attempts" in shown
    assert "3 in notifications.dead-letters" in shown


def test_looking_wears_nothing_out(run, park, lying, channel, servers, config):
    """RabbitMQ 4 throws away what a quorum queue has handed out 20 times: letters are renewed
    before that, all of them and in their order."""
    vhost = config["AMQP_URI"].rpartition("/")[2]
    policy = f"{servers.amqp_api}/api/policies/{vhost}/limit"
    limit = {"pattern": "dead-letters$", "definition": {"delivery-limit": 20}, "apply-to": "queues"}
    requests.put(policy, json=limit, timeout=10).raise_for_status()
    try:
        eventually(lambda: limited(servers, vhost))
        ids = [park("a"), park("b")]
        for look in range(45):
            if look == 5:
                ids.append(park("c"))
            listed = run("dead-letters", "list", "--queue", "notifications", "--json")["letters"]
            assert [letter["id"] for letter in listed] == ids, look
            eventually(lambda: lying.depth(BOX) == len(ids))
    finally:
        requests.delete(policy, timeout=10)
    found = lying(BOX)
    assert texts(found) == ["a", "b", "c"]
    assert found[0][1].headers["x-parked-from"] == PAID
    assert found[0][1].headers["nameko.request_id"] == "r-1"


def limited(servers, vhost):
    answer = requests.get(f"{servers.amqp_api}/api/queues/{vhost}/{BOX}", timeout=10).json()
    return answer.get("effective_policy_definition", {}).get("delivery-limit") == 20


def test_a_letter_in_full(run, park):
    """An event's payload and what it belongs to; nothing of a call, which may hold a password."""
    event = park("about an order")
    call = park("", origin="rpc-users", body=b'{"kwargs": {"password": "hunter2"}}')
    (shown,) = run("dead-letters", "show", event, "--json")
    assert shown["payload"] == {"text": "about an order"}
    assert shown["request_id"] == "r-1"
    assert "about an order" in run("dead-letters", "show", event)
    for arguments in ((call,), (call, "--json")):
        assert "hunter2" not in str(run("dead-letters", "show", *arguments))
    assert "no dead letter has the id" in run("dead-letters", "show", "nobody", code=1)


def test_garbage_is_a_letter_too(run, park, channel):
    """Whatever lies there is listed, shown and dropped, and moves no cursor."""
    channel.basic_publish("", BOX, b"\xff\xfe{")
    odd = {"x-parked-from": 7, "x-parked-at": "soon", "x-death": "no list", "x-delivery-count": "a"}
    channel.basic_publish("", BOX, b"", pika.BasicProperties(headers=odd))
    park("", body=b"[" * 100_000, why="\x1b[31mred[bold]" + "x" * 999)
    (_, _, deep) = run("dead-letters", "list", "--json")["letters"]
    assert deep["why"].startswith("·[31mred[bold]xx")
    assert "·[31mred[bold]" in run("dead-letters", "list")
    for letter in run("dead-letters", "list", "--json")["letters"]:
        assert "\x1b" not in run("dead-letters", "show", letter["id"])
    replayed = run("dead-letters", "replay", "--json", code=1)
    assert len(replayed["replayed"]) == 1
    assert len(run("dead-letters", "drop", "--yes", "--json")["dropped"]) == 2


def test_parked_by_the_broker(run, park):
    """What RabbitMQ has parked itself is known by its own notes, past those of the retries."""
    deaths = [
        {"queue": "retry.1s", "reason": "expired"},
        {"queue": SHIPPED, "reason": "delivery_limit", "time": NOW.replace(tzinfo=None)},
    ]
    park("a", **{"x-parked-from": "", "x-parked-why": "", "x-parked-at": "", "x-death": deaths})
    (letter,) = run("dead-letters", "list", "--json")["letters"]
    assert letter["origin"] == SHIPPED
    assert letter["why"] == "its handler ended the process, each time"
    assert letter["age_seconds"] < 600


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


def test_drop_asks(run, park, lying):
    """Nothing goes without a yes, and only what was chosen."""
    park("a")
    park("b", SHIPPED)
    asked = ("dead-letters", "drop", "--event", "order_paid")
    assert "Drop 1 letter for good?" in run(*asked, input="n\n", code=1)
    assert texts(lying(BOX)) == ["a", "b"]
    run(*asked, input="y\n")
    assert texts(lying(BOX)) == ["b"]
    run("dead-letters", "drop", "--yes")
    assert lying.depth(BOX) == 0
    assert "0 letters dropped" in run("dead-letters", "drop")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--queue", "nothing"), 2),
        (("--older-than", "soon"), 2),
        (("--older-than", "99999999999d"), 2),
        (("--limit", "0"), 2),
        (("--limit", "many"), 2),
    ],
)
def test_wrong_arguments(run, amqp, arguments, code):
    """They are named in a line, and nothing is done."""
    for command in ("list", "replay", "drop"):
        assert "Error: Invalid value" in run("dead-letters", command, *arguments, code=code)


@pytest.mark.parametrize("command", ["list", "show x", "replay", "drop --yes"])
def test_no_broker(run, one_line, nowhere, command):
    """One line without a password, and a status of its own."""
    uris = (nowhere.amqp, "amqp://guest:hunter2@h:port/", "hunter2", "http://hunter2@h/")
    for uri in uris:
        output = run("dead-letters", *command.split(), code=2, AMQP_URI=uri)
        assert one_line(output.replace("0 letters put back before that\n", "")), output
        assert "hunter2" not in output


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
    body = orjson.dumps({"order_id": str(order), "cause": "customer", "version": 2})
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
