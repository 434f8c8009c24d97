"""The gateway in front of real notifications, and a stand-in for users that signs tokens."""

import contextlib
import datetime
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.clock import Clock
from chassis.identity import Actor, Signer, public_jwk
from chassis.rpc import rpc
from chassis.service import Service
from gateway.service import GatewayService
from gateway.sessions import SessionStates
from notifications.service import NotificationsService
from tests.integration.gateway.listening import Stream

KEY = Ed25519PrivateKey.generate()


class Users(Service):
    """Stands in for `users`: everybody is there."""

    name = "users"

    @rpc
    def jwks(self):
        return {"keys": [public_jwk(KEY.public_key(), "k1")]}

    @rpc
    def get(self, user_id):
        return {"id": user_id, "username": "x", "email": "x@example.org", "phone": None}

    @rpc
    def check_session(self, user_id, session_id=None):
        return {"role": "customer"}

    @rpc
    def ended_sessions(self, session_ids):
        return {"ended": []}

    @rpc
    def contacts(self, user_ids):
        reached = {"email": "x@example.org", "phone": None}
        return {"items": [{"id": user_id, **reached} for user_id in user_ids]}


class Door:
    """A running gateway: `door.token(user)`, `door.listen(user)`, `door.notify(user, "text")`."""

    def __init__(self, container, config, call):
        self.container = container
        self.address = config["WEB_SERVER_ADDRESS"]
        self._identity = config["identity"]
        self._call = call
        self._open = contextlib.ExitStack()

    def token(self, user, seconds=900, session_id=None):
        lifetime = datetime.timedelta(seconds=seconds)
        signer = Signer(KEY, "k1", lifetime=lifetime, **self._identity)
        actor = Actor(uuid.UUID(str(user)), "customer")
        return signer.sign(actor, Clock.source(), session_id)

    def end_session(self, session_id):
        """As if `users` had said so."""
        states = next(e for e in self.container.extensions if isinstance(e, SessionStates))
        states.note_ended({"ended": [str(session_id)]})

    def listen(self, user, last_id=None, seconds=900, **options):
        """A stream whose head is read."""
        stream = Stream(self.address, self.token(user, seconds), last_id, **options)
        self._open.callback(stream.close)
        return stream.head()

    def notify(self, user, subject="Hello", body="..."):
        self._call.notifications.send(
            user_id=str(user), channel="in_app", subject=subject, body=body, key=None
        )

    def close(self):
        self._open.close()


@pytest.fixture
def door(start, config, call, clock, tmp_path):
    """`door(**live)`: a gateway with these settings of streams."""
    doors = []

    def open_door(web=None, **live):
        overrides = {
            "notifications": {"outbox": str(tmp_path)},
            "live": live,
            "web": config["web"] | (web or {}),
        }
        *_, gateway = start(Users, NotificationsService, GatewayService, **overrides)
        doors.append(Door(gateway, config, call))
        return doors[-1]

    yield open_door
    for door in doors:
        door.close()


@pytest.fixture
def user():
    """Somebody new."""
    return uuid.uuid4()
