"""Channels that write to a folder instead of a server: the default without one.

A file is named after its notification and appears whole or not at all, so a repeat replaces it
and nothing is ever doubled.
"""

import contextlib
import os
import pathlib

from notifications.channels import mail
from notifications.channels.port import Message
from notifications.errors import NotNow


class MailFiles:
    """E-mails as `<notification id>.eml`, which every mail program opens."""

    def __init__(self, folder: str, sender: str):
        self.folder = pathlib.Path(folder)
        self.sender = sender

    def deliver(self, message: Message) -> None:
        """Write the e-mail."""
        _write(self.folder / f"{message.id}.eml", mail.compose(message, self.sender))


class SmsFiles:
    """Text messages as `<notification id>.sms.txt`: the number, an empty line, the text."""

    def __init__(self, folder: str):
        self.folder = pathlib.Path(folder)

    def deliver(self, message: Message) -> None:
        """Write the text message."""
        text = f"To: {message.address}\n\n{message.subject}\n{message.body}"
        _write(self.folder / f"{message.id}.sms.txt", text.encode())


def _write(path: pathlib.Path, content: bytes) -> None:
    # Two who write the same message at once have a file each, and the same content.
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise NotNow("not_writable") from None
