"""What the machines share: how long they run, transactions that leave nothing behind, a clock."""

import contextlib
import datetime
import os
from types import SimpleNamespace

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy.orm import sessionmaker

from chassis.errors import Fault, Unavailable
from payments.errors import ProviderTimeout

_COMMON = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much],
}
#: The same walks each time, for `make test`; what fails is shown as it was found, for looking for a
#: shorter walk takes minutes.
settings.register_profile(
    "ci",
    max_examples=50,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    **_COMMON,
)
#: New walks each time, for `make model`; what fails is kept in `.hypothesis` and tried first.
settings.register_profile(
    "long", max_examples=1000, stateful_step_count=60, print_blob=True, **_COMMON
)
SETTINGS = settings.get_profile(os.environ.get("MODEL_PROFILE", "ci"))


def _warned(event, error=Unavailable.__name__, **about):
    """What is put off is said here alone: only what the machines have away may be a reason."""
    assert error in (Unavailable.__name__, ProviderTimeout.__name__), (event, error, about)


def _ignore(event, **about):
    """Nothing of note."""


#: A log that fails the walk for an error that the program has swallowed.
LOG = SimpleNamespace(info=_ignore, warning=_warned, error=_warned)
START = datetime.datetime(2031, 3, 1, 12, tzinfo=datetime.UTC)


class Machine(RuleBasedStateMachine):
    """One walk: a database that forgets it, and a clock that stands until a rule moves it.

    `begin()` opens what the program takes for a transaction: committed at its end, rolled back on
    an error. It is a savepoint of the one real transaction, which is rolled back with the walk.
    """

    def __init__(self, engine):
        super().__init__()
        self.now = START
        #: What was published: (type, payload).
        self.told = []
        self.connection = engine.connect()
        self._outer = self.connection.begin()
        self._sessions = sessionmaker(
            self.connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        )

    @contextlib.contextmanager
    def begin(self):
        told = len(self.told)
        try:
            with self._sessions() as session, session.begin():
                yield session
        except BaseException:
            del self.told[told:]
            raise

    @contextlib.contextmanager
    def autocommit(self):
        yield self.connection

    def publish(self, session, event_type, payload):
        self.told.append((event_type, payload))

    def clock(self):
        return self.now

    def later(self, **delta):
        self.now += datetime.timedelta(**delta)

    def teardown(self):
        self._outer.rollback()
        self.connection.close()


def outcome(function, *args, **kwargs):
    """What it returns, or the code of the fault that it raises."""
    try:
        return function(*args, **kwargs)
    except Fault as fault:
        return fault.code
