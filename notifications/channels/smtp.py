"""E-mail over SMTP, one connection per mail; every answer of the server has a time limit."""

import contextlib
import smtplib
import ssl
from collections.abc import Iterator

from notifications.channels import mail
from notifications.channels.port import Message
from notifications.errors import NotNow, Undeliverable


class SmtpMail:
    """Hands mails to one server; `timeout` in seconds is for each of its answers.

    With `starttls` nothing is said in the clear; a `username` signs in with `password`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        *,
        username: str | None = None,
        password: str | None = None,
        starttls: bool = False,
        timeout: float = 10,
    ):
        self.host = host
        self.port = port
        self.sender = sender
        self.username = username
        self.password = password
        self.starttls = starttls
        self.timeout = timeout

    def deliver(self, message: Message) -> None:
        """Send the mail; returns once the server has taken it over."""
        composed = mail.compose(message, self.sender)
        try:
            with self._connected() as server:
                server.sendmail(mail.address_of(self.sender), [message.address], composed)
        except smtplib.SMTPRecipientsRefused as refused:
            raise _by_code(next(iter(refused.recipients.values()))[0]) from None
        except smtplib.SMTPDataError as refused:
            raise _by_code(refused.smtp_code) from None
        except (smtplib.SMTPException, OSError):  # ours or the server's trouble, not the message's
            raise NotNow("smtp_unavailable") from None
        except ValueError:  # the library cannot say this mail to any server
            raise Undeliverable("bad_message") from None

    @contextlib.contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        server = smtplib.SMTP(self.host, self.port, timeout=self.timeout)
        try:
            if self.starttls:
                server.starttls(context=ssl.create_default_context())
            if self.username:
                server.login(self.username, self.password or "")
            yield server
            # The mail is theirs by now: a goodbye that goes wrong must not send it twice.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()
        finally:
            server.close()


def _by_code(code: int) -> Undeliverable | NotNow:
    """5xx is for good, anything else may pass (RFC 5321, 4.2.1)."""
    return Undeliverable(f"smtp_{code}") if code >= 500 else NotNow(f"smtp_{code}")
