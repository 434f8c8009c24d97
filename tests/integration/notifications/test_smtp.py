"""E-mail over a real SMTP server, which runs in a process of its own."""

import datetime
import gc
import ipaddress
import mailbox
import pathlib
import socket
import subprocess
import sys

import eventlet
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from nameko.testing.utils import find_free_port

from notifications.mail import leases
from tests.integration.notifications.conftest import ANN, BOB

ROOT = pathlib.Path(__file__).parents[3]
DAY = datetime.timedelta(days=1)


class MailServer:
    """The server: `start`, `stop`, `mails`."""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, find_free_port(), None

    def start(self, *certificate):
        arguments = [str(self.port), str(self.folder), *map(str, certificate)]
        command = [sys.executable, "-m", "tests.integration.notifications.smtp_server", *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT)
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                eventlet.sleep(0.02)
            else:
                return
        raise AssertionError("the mail server does not start")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def mails(self):
        return list(mailbox.Maildir(self.folder, create=True))


@pytest.fixture
def server(tmp_path):
    """A mail server that is not started yet."""
    server = MailServer(tmp_path / "maildir")
    yield server
    server.stop()


@pytest.fixture
def settings(settings, server):
    """SMTP_HOST is set."""
    smtp = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_timeout": 1}
    return settings | smtp


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that nobody has signed, and its key: two files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + DAY)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    paths[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


def test_a_mail_reaches_the_server(server, send, status, outbox, eventually):
    """From, To, subject, text, and a Message-ID made from the notification's id."""
    server.start()
    message = send(subject="Grüße", body="Ünï\n.\ndots and\nlines")
    eventually(lambda: status(message) == "sent")
    (mail,) = server.mails()
    assert (mail["From"], mail["To"]) == ("Shop <shop@example.com>", "ann@example.org")
    assert mail["Message-ID"] == f"<{message['id']}@example.com>"
    assert mail.get_payload(decode=True).decode().splitlines()[:3] == ["Ünï", ".", "dots and"]
    assert not outbox.exists()


def test_a_server_that_is_away_only_delays(server, send, status, sql, clock, eventually):
    """The mail goes once the server is back."""
    message = send()
    code = "SELECT failure_code FROM notifications"
    eventually(lambda: sql(code) == [{"failure_code": "smtp_unavailable"}])
    assert status(message) == "pending"
    server.start()
    clock.advance(minutes=5)
    eventually(lambda: status(message) == "sent")
    assert len(server.mails()) == 1


def test_a_refused_recipient_is_final(server, send, status, people, sql, eventually):
    """5xx: never tried again; our note of it has the code and not the server's words."""
    server.start()
    people[ANN]["email"] = "refused@example.org"
    message = send()
    eventually(lambda: status(message) == "failed")
    assert sql("SELECT failure_code, attempts FROM notifications") == [
        {"failure_code": "smtp_550", "attempts": 1}
    ]


def test_what_cannot_be_sent_is_over_at_once_and_says_so(
    server, send, status, people, sql, notifications, eventually
):
    """No try will make one recipient of an address that a header reads as two."""
    server.start()
    people[ANN]["email"] = "=?utf-8?q?x=40victim.example=2C?=@example.com"
    message = send()
    eventually(lambda: status(message) == "failed")
    assert sql("SELECT failure_code, attempts FROM notifications") == [
        {"failure_code": "bad_address", "attempts": 1}
    ]
    (shown,) = notifications.list(user_id=ANN)["items"]
    assert (shown["status"], shown["failure_code"]) == ("failed", "bad_address")


def test_a_busy_server_is_tried_again(server, send, status, people, sql, clock, eventually):
    """4xx: later."""
    server.start()
    people[ANN]["email"] = "busy@example.org"
    message = send()
    code = "SELECT failure_code FROM notifications"
    eventually(lambda: sql(code) == [{"failure_code": "smtp_451"}])
    assert status(message) == "pending"
    people[ANN]["email"] = "ann@example.org"
    clock.advance(minutes=5)
    eventually(lambda: status(message) == "sent")


def test_a_slow_server_holds_up_nobody_for_long(server, send, status, people, eventually):
    """Each answer has a time limit; the next mail goes through, and RPC goes on meanwhile."""
    server.start()
    people[ANN]["email"] = "slow@example.org"
    slow = send()
    other = send(user_id=BOB)
    eventually(lambda: status(other) == "sent")
    assert status(slow) == "pending"


def test_a_death_before_the_note_repeats_the_same_mail(
    server, send, status, clock, monkeypatch, eventually
):
    """A server cannot take a mail back: the repeat has the same Message-ID, by which programs
    fold the two into one."""
    server.start()
    real, deaths = leases.close, []

    def die(*args, **kwargs):
        deaths.append(1)
        monkeypatch.setattr(leases, "close", real)
        raise SystemError("the process ends here")

    monkeypatch.setattr(leases, "close", die)
    message = send()
    eventually(lambda: deaths)
    clock.advance(minutes=2)
    eventually(lambda: status(message) == "sent")
    assert len({mail["Message-ID"] for mail in server.mails()}) == 1


class TestSecured:
    """With TLS and a password."""

    @pytest.fixture
    def settings(self, settings):
        """All that a mail provider asks for."""
        secure = {"smtp_starttls": True, "smtp_username": "shop", "smtp_password": "secret"}
        return settings | secure

    def test_mail_goes_over_tls_with_a_password(
        self, server, send, status, certificate, monkeypatch, eventually
    ):
        """The server takes nothing else."""
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        server.start(*certificate)
        message = send()
        eventually(lambda: status(message) == "sent")
        assert len(server.mails()) == 1

    # eventlet leaves the socket of a failed handshake to the garbage collector.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_a_server_that_cannot_prove_itself_gets_nothing(
        self, server, send, status, sql, certificate, eventually
    ):
        """Neither the password nor the mail; it is tried again later."""
        server.start(*certificate)
        message = send()
        code = "SELECT failure_code FROM notifications"
        eventually(lambda: sql(code) == [{"failure_code": "smtp_unavailable"}])
        assert status(message) == "pending"
        gc.collect()
