"""A message as an e-mail."""

import re
from email.header import decode_header
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from notifications.channels.port import Message
from notifications.errors import Undeliverable

#: An address without anything that a header could mean otherwise: quotes, comments, lists, encoded
#: words. It is narrower than RFC 5321, and all that `users` lets in fits.
_ADDRESS = re.compile(r"(?!.*=\?)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
#: What ends a line in one of Python's or a mail program's ways, or is no text at all.
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def compose(message: Message, sender: str) -> EmailMessage:
    """The e-mail of a message: the same message gives the same e-mail, Message-ID included, so
    that a repeat after a crash is recognisable.

    Raises `Undeliverable` for an address or a subject that a header would tell otherwise than it
    is, and for anything else that cannot be written as an e-mail.
    """
    if not _ADDRESS.fullmatch(message.address):
        raise Undeliverable("bad_address")
    mail = EmailMessage(policy=SMTP)
    try:
        mail["From"] = sender
        mail["To"] = message.address
        _set_subject(mail, message.subject)
        mail["Date"] = format_datetime(message.written_at)
        mail["Message-ID"] = f"<{message.id}@{parseaddr(sender)[1].partition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.body)
        raw = mail.as_bytes()
    except Undeliverable:
        raise
    except Exception:  # whichever way the library refuses, it will again
        raise Undeliverable("bad_message") from None
    _check_headers(mail, raw, message.address)
    return mail


def _set_subject(mail: EmailMessage, subject: str) -> None:
    """The library decodes encoded words (RFC 2047) when a header is set, and mail programs decode
    more than it does, so that a subject could hold line breaks that nobody saw."""
    if _NOT_IN_A_HEADER.search(subject):
        raise Undeliverable("bad_subject")
    mail["Subject"] = subject
    if str(mail["Subject"]) != subject or decode_header(subject) != [(subject, None)]:
        raise Undeliverable("bad_subject")


def _check_headers(mail: EmailMessage, raw: bytes, address: str) -> None:
    """Whoever reads the bytes sees the same headers, and one recipient."""
    read = BytesHeaderParser(policy=SMTP).parsebytes(raw)
    if read.keys() != mail.keys():
        raise Undeliverable("bad_headers")
    if [str(one.addr_spec) for one in read["To"].addresses] != [address]:
        raise Undeliverable("bad_address")
