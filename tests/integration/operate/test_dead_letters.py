"""`shop dead-letters list|show|drop`: what was parked is found, and nothing else is touched."""

import pika
import pytest
import requests

from chassis.clock import utcnow
from tests.integration.operate.letters import BOX, NOW, PAID, SHIPPED, texts
from tests.support import eventually


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
    # AMQP tells whole seconds.
    assert letter["age_seconds"] <= (utcnow() - NOW).total_seconds() + 1


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
