"""A message as an e-mail, in bytes as they travel (RFC 5322, RFC 2045).

Written by hand, for all of ours are alike: one recipient, one part, plain text. Python's `email`
parses what it is given to set, to fold and to serialise a header, which took half of the processor
time of all notifications.
"""

import re
from binascii import b2a_qp
from email.errors import HeaderParseError
from email.header import Header, decode_header
from email.headerregistry import HeaderRegistry
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import lru_cache

from notifications.channels.port import Message
from notifications.errors import Undeliverable

#: An address without anything that a header could mean otherwise: quotes, comments, lists, encoded
#: words. It is narrower than RFC 5321, and all that `users` lets in fits.
_ADDRESS = re.compile(r"(?!.*=\?)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
#: What ends a line in one of Python's or a mail program's ways, or is no text at all.
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def compose(message: Message, sender: str) -> bytes:
    """The e-mail of a message: the same message gives the same bytes, Message-ID included, so
    that a repeat after a crash is recognisable.

    Raises `Undeliverable` for an address or a subject that a header would tell otherwise than it
    is, and for a text that cannot be written as an e-mail.
    """
    if not _ADDRESS.fullmatch(message.address):
        raise Undeliverable("bad_address")
    headers = (
        _from(sender),
        f"To: {message.address}",
        f"Subject: {_subject(message.subject)}",
        f"Date: {format_datetime(message.written_at)}",
        f"Message-ID: <{message.id}@{address_of(sender).partition('@')[2]}>",
        "Auto-Submitted: auto-generated",
        'Content-Type: text/plain; charset="utf-8"',
        "Content-Transfer-Encoding: quoted-printable",
        "MIME-Version: 1.0",
    )
    return "\r\n".join((*headers, "", "")).encode() + _text(message.body)


def address_of(sender: str) -> str:
    """The address in a sender such as `Shop <shop@example.com>`."""
    return parseaddr(sender)[1]


@lru_cache(maxsize=8)
def _from(sender: str) -> str:
    return HeaderRegistry()("From", sender).fold(policy=SMTP).rstrip("\r\n")


def _subject(subject: str) -> str:
    """In encoded words (RFC 2047) where it is not ASCII, folded where it is long, without spaces
    around it. Mail programs decode encoded words wherever they come from, so one that is there
    already is refused: a subject could hold line breaks that nobody saw."""
    if _NOT_IN_A_HEADER.search(subject) or decode_header(subject) != [(subject, None)]:
        raise Undeliverable("bad_subject")
    try:
        return Header(subject.strip(" "), header_name="Subject").encode(linesep="\r\n")
    except HeaderParseError:
        raise Undeliverable("bad_subject") from None


def _text(body: str) -> bytes:
    """Lines of 76 bytes at most, and only ASCII. White space at the ends of lines is left out:
    nobody sees it, and `b2a_qp` can write it beyond the 76."""
    lines = body.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    lines = [line.rstrip(" \t") for line in lines]
    try:
        return b2a_qp("\r\n".join([*lines, ""]).encode(), istext=True)
    except UnicodeEncodeError:
        raise Undeliverable("bad_message") from None
