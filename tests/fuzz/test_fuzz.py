"""The whole description, tried at random against the running shop.

Bounded and from a fixed seed as a part of the suite; `make fuzz` takes more time and another seed,
which `FUZZ_SEED` repeats.
"""

import os
import pathlib
import random

import pytest

from tests.fuzz.run import Plan, fuzz

#: Set by `make fuzz`: how long to try, all in all.
SECONDS = int(os.environ.get("FUZZ_SECONDS", "0"))
ROLES = ("nobody", "customer", "staff", "admin")
SHORT = Plan(phases="examples,fuzzing", examples=5, seed=1)


@pytest.fixture(scope="module")
def plan(pytestconfig):
    """What to try; a long one is written down first, so that it can be had again."""
    if not SECONDS:
        return SHORT
    seed = int(os.environ.get("FUZZ_SEED") or random.randrange(2**32))
    examples = int(os.environ.get("FUZZ_EXAMPLES", "50"))
    again = f"make fuzz FUZZ_SEED={seed} FUZZ_EXAMPLES={examples} FUZZ_SECONDS={SECONDS}"
    runs = pathlib.Path("var/fuzz/runs")
    runs.parent.mkdir(parents=True, exist_ok=True)
    with runs.open("a") as known:
        known.write(f"{again}\n")
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nthe same once more: {again}")  # noqa: T201
    phases = "examples,coverage,fuzzing,stateful"
    return Plan(phases, examples, seed, seconds=max(1, SECONDS // len(ROLES)))


@pytest.mark.timeout(600 + 2 * SECONDS)
@pytest.mark.parametrize("role", ROLES)
def test_no_request_gets_what_is_not_described(shop, people, things, plan, role, tmp_path):
    """No 5xx, no undescribed status, media type, header or body, and nothing hangs."""
    person, log = people[role], tmp_path / f"{role}.log"
    url = f"{shop.url}/api/openapi.json"
    status = fuzz(url, plan, log, person.token, things.known, things.spared)
    assert status == 0, log.read_text()
    if role != "nobody":  # else nothing but refusals was looked at
        assert person.get("/api/users/profile")["role"] == role
