"""The channels that the settings ask for."""

from collections.abc import Mapping
from typing import Any

from contracts.notifications.enums import Channel
from notifications.channels import port
from notifications.channels.files import MailFiles, SmsFiles
from notifications.channels.smtp import SmtpMail


def channels(settings: Mapping[str, Any]) -> dict[str, port.Channel]:
    """A mail server when one is named, else files; text messages go to files."""
    return {Channel.EMAIL: _mail(settings), Channel.SMS: SmsFiles(settings["outbox"])}


def _mail(settings: Mapping[str, Any]) -> port.Channel:
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
