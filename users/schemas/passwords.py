"""Passwords: changed, forgotten, chosen anew."""

from chassis.fields import Request, Uuid
from users.fields import OpaqueToken, Password, SomeEmail
from users.passwords import rules as password_rules
from users.schemas.common import Get, Located


class ChangePassword(Get, Located):
    current_password = Password(required=True)
    new_password = Password(min=password_rules.MIN_LENGTH, required=True)


class ForgotPassword(Located):
    """Any text is taken for an address: what is none is nobody's."""

    email = SomeEmail(required=True)


class IssueResetToken(Request):
    reset_id = Uuid(required=True)


class ResetPassword(Located):
    token = OpaqueToken(required=True)
    new_password = Password(min=password_rules.MIN_LENGTH, required=True)
