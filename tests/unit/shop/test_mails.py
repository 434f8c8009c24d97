"""What the operators' commands find in mails is what notifications writes."""

from notifications.mail import templates
from shop import mails


def test_the_mail_that_confirms_an_address_is_known_by_its_subject():
    """`shop demo`, `shop chaos` and the bench wait for it."""
    assert templates.render("email_verification_requested", {}).subject == mails.CONFIRM
