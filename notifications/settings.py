"""The section `notifications` of config.yaml."""

from email.message import EmailMessage

from marshmallow import Schema, ValidationError, fields, validate


def _check_sender(value: str) -> None:
    """One mailbox, as in "Shop <shop@example.com>"."""
    mail = EmailMessage()
    try:
        mail["From"] = value
        (mailbox,) = mail["From"].addresses
    except (ValueError, IndexError):
        raise ValidationError("Not a mailbox.") from None
    if not (mailbox.username and mailbox.domain):
        raise ValidationError("Not a mailbox.")


_WITH_TOKEN = validate.Regexp(
    r"https?://[^\s{}]+\{token\}[^\s{}]*\Z", error='A URL with "{{token}}" in it.'
)
_AT_LEAST_ONE = validate.Range(min=1)


class NotificationsSettings(Schema):
    """How and where messages go out."""

    #: Who writes; its domain is also that of the Message-IDs.
    sender = fields.String(load_default="Shop <shop@example.com>", validate=_check_sender)
    #: The page where one chooses a new password, with "{token}" where that belongs (best after a
    #: "#", where no server logs it); without it the mail has the token alone.
    reset_link = fields.String(
        load_default=None,
        allow_none=True,
        validate=_WITH_TOKEN,
    )
    #: The page where one confirms an e-mail address, with "{token}" likewise.
    verification_link = fields.String(
        load_default=None,
        allow_none=True,
        validate=_WITH_TOKEN,
    )
    #: Messages that one address gets in an hour and in a day; those about the security of an
    #: account are counted apart.
    mails_per_hour = fields.Integer(load_default=20, validate=_AT_LEAST_ONE)
    mails_per_day = fields.Integer(load_default=100, validate=_AT_LEAST_ONE)
    security_mails_per_hour = fields.Integer(load_default=10, validate=_AT_LEAST_ONE)
    security_mails_per_day = fields.Integer(load_default=30, validate=_AT_LEAST_ONE)
    #: Where messages are written as files when there is no server to send them.
    outbox = fields.String(load_default="var/outbox", validate=validate.Length(min=1))
    #: The mail server; without it mails are written to `outbox`.
    smtp_host = fields.String(load_default=None, allow_none=True)
    smtp_port = fields.Integer(load_default=25, validate=validate.Range(min=1, max=65535))
    smtp_username = fields.String(load_default=None, allow_none=True)
    smtp_password = fields.String(load_default=None, allow_none=True)
    #: Refuse to talk in the clear.
    smtp_starttls = fields.Boolean(load_default=False)
    #: Seconds for each answer of the mail server.
    smtp_timeout = fields.Float(load_default=10, validate=validate.Range(min=0.1, max=60))
    #: After so many tries a message has failed (12 tries take about 45 minutes).
    max_attempts = fields.Integer(load_default=12, validate=validate.Range(min=1, max=100))
