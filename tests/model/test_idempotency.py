"""Keys of requests, beside a dictionary."""

import datetime
import uuid

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from chassis import idempotency
from chassis.idempotency import KeyReused
from orders.models import RequestKey
from tests.model.world import Machine

OWNERS = (None, uuid.UUID(int=1))
OPERATIONS = ("pay", "refund")
KEYS = ("a", "A")
BODIES = ("1.00", "2.00")
DAY = datetime.timedelta(hours=24)


class Refused(Exception):
    """The request is refused after its key was looked at."""


class Keys(Machine):
    """Model: (owner, operation, key) → (body, what was made, when)."""

    @initialize()
    def begin_empty(self):
        self.known = {}
        self.made = set()

    def _request(self, identity, body, refused=False):
        owner, operation, key = identity
        asked = idempotency.fingerprint(amount=body)
        with self.begin() as session:
            claim = idempotency.claim(session, RequestKey, owner, operation, key, asked, self.now)
            if refused and claim.is_new:
                raise Refused
        return claim

    def _valid(self, identity):
        found = self.known.get(identity)
        return found if found and self.now < found[2] + DAY else None

    @rule(
        owner=st.sampled_from(OWNERS),
        operation=st.sampled_from(OPERATIONS),
        key=st.sampled_from(KEYS),
        body=st.sampled_from(BODIES),
        refused=st.booleans(),
    )
    def send(self, owner, operation, key, body, refused):
        """A repeat gets what was made, another body is a mistake, a refusal is forgotten."""
        self._send((owner, operation, key), body, refused)

    def _send(self, identity, body, refused):
        before = self._valid(identity)
        try:
            claim = self._request(identity, body, refused)
        except Refused:
            assert before is None
            return
        except KeyReused:
            assert before is not None
            assert before[0] != body
            return
        if before is None:
            assert claim.is_new
            assert claim.resource_id not in self.made
            self.known[identity] = (body, claim.resource_id, self.now)
            self.made.add(claim.resource_id)
        else:
            assert before[0] == body
            assert claim == (before[1], False)

    @rule(owner=st.sampled_from(OWNERS), body=st.sampled_from(BODIES))
    def send_without_key(self, owner, body):
        """Always something new, and nothing is kept."""
        claim = self._request((owner, "pay", None), body)
        assert claim.is_new
        assert claim.resource_id not in self.made
        self.made.add(claim.resource_id)

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def send_again(self, data):
        """What was sent before, as a client does that lost its answer."""
        identity = data.draw(st.sampled_from(list(self.known)))
        self._send(identity, self.known[identity][0], refused=False)

    @rule(hours=st.sampled_from((1, 12)))
    def wait(self, hours):
        self.later(hours=hours)

    @precondition(lambda self: self.known)
    @rule(data=st.data(), short_of_it=st.booleans())
    def wait_for_the_end(self, data, short_of_it):
        """To the instant at which a key is over, or just before; then it comes again."""
        identity = data.draw(st.sampled_from(list(self.known)))
        body, _, since = self.known[identity]
        end = since + DAY - short_of_it * datetime.timedelta(microseconds=1)
        self.now = max(self.now, end)
        self._send(identity, body, refused=False)

    @rule()
    def clean_up(self):
        """What is over goes, in as many rounds as it takes; the rest stays."""
        rounds = idempotency.BATCH
        idempotency.BATCH = 1
        try:
            idempotency.purge(self.begin, RequestKey, self.now)
        finally:
            idempotency.BATCH = rounds
        self.known = {i: found for i, found in self.known.items() if self._valid(i)}

    @invariant()
    def rows_are_those_known(self):
        """One row for each key that was not cleaned up, and no other."""
        query = sa.select(RequestKey.operation, RequestKey.key, RequestKey.resource_id)
        rows = sorted(tuple(row) for row in self.connection.execute(query))
        assert rows == sorted((i[1], i[2], found[1]) for i, found in self.known.items())


def test_keys_are_as_in_the_model(walk):
    """Whatever is sent when: one thing for each key and day, and no key outlives its clean-up."""
    walk(Keys, "orders")
