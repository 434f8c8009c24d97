"""E-mail over a real SMTP server, which runs in a process of its own."""

import mailbox
import pathlib
import socket
import subprocess
import sys

import eventlet
import pytest
from nameko.testing.utils import find_free_port

from notifications import delivery
from tests.integration.notifications.conftest import ANN, BOB

ROOT = pathlib.Path(__file__).parents[3]


class MailServer:
    """The server: `start`, `stop`, `mails`."""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, find_free_port(), None

    def start(self):
        handler = ["-c", "tests.integration.notifications.smtp_server.Box", str(self.folder)]
        command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{self.port}", *handler]
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


def test_a_server_that_is_away_only_delays(server, send, status, clock, eventually):
    """The mail goes once the server is back."""
    message = send()
    eventlet.sleep(1.5)
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
    server, send, status, told, clock, monkeypatch, eventually
):
    """A server cannot take a mail back: the repeat has the same Message-ID, by which programs
    fold the two into one."""
    server.start()
    real, deaths = delivery.close, []

    def die(*args, **kwargs):
        deaths.append(1)
        monkeypatch.setattr(delivery, "close", real)
        raise SystemError("the process ends here")

    monkeypatch.setattr(delivery, "close", die)
    message = send()
    eventually(lambda: deaths)
    clock.advance(minutes=2)
    eventually(lambda: status(message) == "sent")
    assert len({mail["Message-ID"] for mail in server.mails()}) == 1
    assert len(told()) == 1
