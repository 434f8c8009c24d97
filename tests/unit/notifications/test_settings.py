"""The section `notifications` of config.yaml."""

import pytest
from marshmallow import ValidationError

from notifications.channels.configured import channels
from notifications.channels.files import MailFiles
from notifications.channels.smtp import SmtpMail
from notifications.mail.recipients import Limit, limits
from notifications.settings import NotificationsSettings


def test_without_a_mail_server_mails_are_files():
    """The default needs no server."""
    assert isinstance(channels(NotificationsSettings().load({}))["email"], MailFiles)
    assert isinstance(channels(NotificationsSettings().load({"smtp_host": ""}))["email"], MailFiles)


def test_a_mail_server_is_used_when_named():
    """SMTP_HOST decides."""
    settings = NotificationsSettings().load({"smtp_host": "mail.example", "smtp_port": 2525})
    mail = channels(settings)["email"]
    assert isinstance(mail, SmtpMail)
    assert (mail.host, mail.port) == ("mail.example", 2525)


@pytest.mark.parametrize("sender", ["", "shop", "Shop <>", "a@b.org\nBcc: c@d.org", "a@b, c@d"])
def test_a_sender_is_one_mailbox(sender):
    """Anything else would fail at the first mail instead of at the start."""
    with pytest.raises(ValidationError) as invalid:
        NotificationsSettings().load({"sender": sender})
    assert set(invalid.value.messages) == {"sender"}


def test_a_recipient_is_bounded_without_any_setting():
    """Whoever runs the shop has not to think of it."""
    assert limits(NotificationsSettings().load({})) == {False: Limit(20, 100), True: Limit(10, 30)}
    with pytest.raises(ValidationError):
        NotificationsSettings().load({"mails_per_hour": 0})
