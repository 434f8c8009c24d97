"""A letter as an e-mail."""

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from notifications.channels.port import Letter
from notifications.errors import Undeliverable


def compose(letter: Letter, sender: str) -> EmailMessage:
    """The e-mail of a letter: the same letter gives the same e-mail, Message-ID included, so
    that a repeat after a crash is recognisable. Raises `Undeliverable` for an address that
    cannot stand in a header."""
    domain = parseaddr(sender)[1].partition("@")[2]
    mail = EmailMessage(policy=SMTP)
    try:
        mail["From"] = sender
        mail["To"] = letter.address
    except ValueError:
        raise Undeliverable("bad_address") from None
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(letter.written_at)
    mail["Message-ID"] = f"<{letter.id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.body)
    return mail
