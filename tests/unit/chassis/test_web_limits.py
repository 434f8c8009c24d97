"""Rate limits: by client and policy, in headers, and within bounds themselves."""

import re

import pytest
import requests

from chassis.web import route
from chassis.web.limits import Callers, RateLimits, RateSettings
from tests.unit.chassis.web_toy import ANYONE, Toy, running


class Time:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


def limits(time, clients=100, **quotas):
    policies = {name: {"quota": 0} for name in ("default", "writes", "sign-in", "webhooks")}
    policies |= {name: {"quota": quota, "window": 60} for name, quota in quotas.items()}
    return RateLimits(RateSettings().load(policies | {"clients": clients}), time)


def passes(limits, client="ann", policies=("default",)):
    """Whether one request passes."""
    return limits.take(client, policies)[1] is None


def test_a_quota_is_all_there_is_at_once(time):
    """Then one more each window/quota seconds, whatever was refused meanwhile."""
    bucket = limits(time, default=6)
    assert [passes(bucket) for _ in range(8)] == [True] * 6 + [False] * 2
    time.now += 9.9
    assert not passes(bucket)
    time.now += 0.2
    assert passes(bucket)
    assert not passes(bucket)


def test_a_bucket_holds_no_more_than_its_quota(time):
    """Who was away for long may not send for two windows."""
    bucket = limits(time, default=6)
    passes(bucket)
    time.now += 3600
    assert [passes(bucket) for _ in range(7)] == [True] * 6 + [False]


def test_clients_do_not_use_up_each_others(time):
    """One that runs wild stops itself."""
    bucket = limits(time, default=1)
    assert passes(bucket, "ann")
    assert not passes(bucket, "ann")
    assert passes(bucket, "bob")


def test_every_policy_has_to_agree(time):
    """The narrowest decides, and a refusal by one costs nothing at the others."""
    bucket = limits(time, default=10, writes=2)
    both = ("default", "writes")
    assert [passes(bucket, policies=both) for _ in range(5)] == [True, True, False, False, False]
    assert [passes(bucket) for _ in range(9)] == [True] * 8 + [False]


def test_the_headers_say_what_is_left_and_for_how_long(time):
    """As the draft has them: `q`uota, `w`indow, `r`emaining, `t`ime until all is there again."""
    bucket = limits(time, default=6, writes=2)
    bucket.take("ann", ("default", "writes"))
    headers, fault = bucket.take("ann", ("default", "writes"))
    assert dict(headers) == {
        "RateLimit-Policy": '"default";q=6;w=60, "writes";q=2;w=60',
        "RateLimit": '"default";r=4;t=20, "writes";r=0;t=60',
    }
    assert fault is None
    headers, fault = bucket.take("ann", ("default", "writes"))
    assert fault.data["retry_after"] == 30
    assert 'r=4;t=20, "writes";r=0;t=60' in dict(headers)["RateLimit"]


def test_a_quota_of_nothing_sets_no_limit(time):
    """And says nothing."""
    assert limits(time).take("ann", ("default", "writes")) == ([], None)


def test_memory_is_bounded(time):
    """Beyond the bound the one that was away for the longest is forgotten."""
    bucket = limits(time, clients=10, default=1)
    for number in range(1000):
        assert passes(bucket, f"client {number}")
    assert len(bucket._full_at) == 10
    assert not passes(bucket, "client 999")


class KnownCallers(Callers):
    """Takes a header for granted."""

    def user_of(self, request):
        return request.header("X-Actor")


class Door(Toy):
    name = "toy"

    @route("POST", "/in", who=ANYONE, limit="sign-in")
    def come_in(self, request):
        """Sign in."""
        return {}

    @route("POST", "/tell", who=ANYONE, limit="webhooks")
    def tell(self, request):
        """What a machine tells."""
        return {}


@pytest.fixture
def toy():
    quotas = {"default": {"quota": 5}, "writes": {"quota": 3}, "sign-in": {"quota": 1}}
    quotas["webhooks"] = {"quota": 8}
    with running(Door, rate_limits=quotas) as service:
        service.server.app.callers = KnownCallers()
        yield service


def send(toy, method="GET", path="/things", **headers):
    return requests.request(method, toy.url + path, headers=headers, timeout=5)


def test_one_too_many_is_a_429_that_says_when_to_come_back(toy):
    """A problem like every other, with the headers that each answer has."""
    answers = [send(toy) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[0].headers["RateLimit-Policy"] == '"default";q=5;w=60'
    left = [re.search(r"r=(\d+)", a.headers["RateLimit"])[1] for a in answers]
    assert left == ["4", "3", "2", "1", "0", "0"]
    assert answers[-1].json()["code"] == "too_many_requests"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 12


def test_users_are_told_apart_at_one_address(toy):
    """Whoever is signed in has limits of their own."""
    for _ in range(6):
        send(toy, X_Actor="")
    for actor in ("ann", "bob"):
        assert send(toy, **{"X-Actor": actor}).status_code == 200
    assert send(toy).status_code == 429


def test_signing_in_is_counted_by_address(toy):
    """Being somebody already gives no further tries."""
    assert send(toy, "POST", "/in", **{"X-Actor": "ann"}).status_code == 200
    assert send(toy, "POST", "/in", **{"X-Actor": "bob"}).status_code == 429


def test_webhooks_have_a_limit_of_their_own(toy):
    """A provider tells much from few addresses: it neither takes from what an address may do nor
    runs into that, and has a bound all the same."""
    for _ in range(6):
        send(toy)
    told = [send(toy, "POST", "/tell", **{"X-Actor": "ann"}) for _ in range(9)]
    assert [answer.status_code for answer in told] == [200] * 8 + [429]
    assert told[0].headers["RateLimit-Policy"] == '"webhooks";q=8;w=60'
    assert send(toy, **{"X-Actor": "ann"}).headers["RateLimit"].startswith('"default";r=4')


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nope"), ("OPTIONS", "/things"), ("OPTIONS", "/nope"), ("HEAD", "/things"),
     ("TRACE", "/things"), ("GET", "//things"), ("GET", "/probe"), ("GET", "/start")],
)  # fmt: skip
def test_nothing_is_free(method, path):
    """What leads nowhere, what browsers ask first and probes count, too, or asking for them in a
    loop would cost only us."""
    quotas = {"default": {"quota": 2}}
    with running(rate_limits=quotas, redirects={"/start": "/things"}) as toy:
        for _ in range(2):
            answer = requests.request(method, toy.url + path, timeout=5, allow_redirects=False)
            assert answer.status_code != 429
        assert requests.request(method, toy.url + path, timeout=5).status_code == 429


def test_a_proxy_is_not_its_clients():
    """Behind a trusted proxy, addresses are those that it tells."""
    quotas = {"default": {"quota": 1}}
    with running(trusted_proxies=1, rate_limits=quotas) as toy:
        for address in ("192.0.2.1", "192.0.2.2", "6.6.6.6, 192.0.2.3"):
            assert send(toy, **{"X-Forwarded-For": address}).status_code == 200
        assert send(toy, **{"X-Forwarded-For": "7.7.7.7, 192.0.2.3"}).status_code == 429
