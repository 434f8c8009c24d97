"""Mails of a shop on this machine that writes them as files, read as their recipients would."""

import email
import email.policy
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

#: The subject of the mail that has an address confirmed.
CONFIRM = "Confirm your email address"


def outbox() -> Path:
    """The folder that the mails are in."""
    return Path(os.environ.get("MAIL_OUTBOX", "var/outbox"))


def confirmation(feed: Iterable[Mapping[str, Any]]) -> str | None:
    """The id of the newest mail that has an address confirmed, once it has left; `feed` is of
    `GET /api/notifications`, newest first."""
    mails = (each for each in feed if each["channel"] == "email" and each["subject"] == CONFIRM)
    return next((each["id"] for each in mails if each["status"] == "sent"), None)


def token(folder: Path, mail_id: str) -> str | None:
    """The token that a mail ends in; None when the mails are not in this folder."""
    path = folder / f"{mail_id}.eml"
    if not path.exists():
        return None
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    return mail.get_content().split()[-1].rpartition("#")[2]
