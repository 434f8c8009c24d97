"""The channels that the settings ask for."""

from collections.abc import Mapping
from typing import Any

from notifications.channels.files import MailFiles, SmsFiles
from notifications.channels.port import Channel
from notifications.channels.smtp import SmtpMail


def channels(settings: Mapping[str, Any]) -> dict[str, Channel]:
    """A mail server when one is named, else files; text messages go to files."""
    return {"email": _mail(settings), "sms": SmsFiles(settings["outbox"])}


def _mail(settings: Mapping[str, Any]) -> Channel:
    if not settings["smtp_host"]:
        return MailFiles(settings["outbox"], settings["sender"])
    return SmtpMail(
        settings["smtp_host"],
        settings["smtp_port"],
        settings["sender"],
        username=settings["smtp_username"],
        password=settings["smtp_password"],
        starttls=settings["smtp_starttls"],
        timeout=settings["smtp_timeout"],
    )
