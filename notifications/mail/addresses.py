"""Where messages go, and the tokens in them: asked of `users` when they go, and kept nowhere."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from chassis.errors import NotFound
from chassis.messages import Json
from contracts.notifications.enums import FailureCode
from contracts.users import answers
from notifications.context import Context
from notifications.errors import Undeliverable
from notifications.mail import templates
from notifications.mail.leases import Claimed

#: Of each user who is there `email`, `email_verified` and `phone`, by id.
Contacts = Mapping[uuid.UUID, Mapping[str, Any]]

_CONTACTS = answers.Contacts()
_RESET_TOKEN, _VERIFICATION_TOKEN = answers.ResetToken(), answers.VerificationToken()
_OLD_EMAIL = answers.OldEmail()


class Enclosure(NamedTuple):
    """What a mail gets when it goes: where it goes (None: to the user's address), and the lines
    that it ends in, which may have a token."""

    address: str | None
    text: str


def contacts(context: Context, user_ids: Sequence[uuid.UUID]) -> Contacts:
    """Where these users can be reached at this moment; who is gone is left out."""
    answer = _CONTACTS.load(context.users.contacts(user_ids=user_ids))
    return {contact["id"]: contact for contact in answer["items"]}


def enclosure(context: Context, message: Claimed) -> Enclosure:
    """What belongs into a message that `has_enclosure`; raises `Undeliverable` when what it is
    about is over."""
    if message.reset_id is not None:
        return _reset_token(context, message.reset_id)
    if message.verification_id is not None:
        return _verification_token(context, message.verification_id)
    answer = _ask(
        FailureCode.NOTICE_OVER, context.users.old_email, change_id=message.email_change_id
    )
    return Enclosure(_OLD_EMAIL.load(answer)["email"], "")


def _reset_token(context: Context, reset_id: uuid.UUID) -> Enclosure:
    answer = _ask(FailureCode.RESET_OVER, context.users.issue_reset_token, reset_id=reset_id)
    found = _RESET_TOKEN.load(answer)
    link = context.settings["reset_link"]
    return Enclosure(found["email"], templates.way_to_reset(found["token"], link, found["holds"]))


def _verification_token(context: Context, verification_id: uuid.UUID) -> Enclosure:
    issue = context.users.issue_verification_token
    found = _VERIFICATION_TOKEN.load(
        _ask(FailureCode.VERIFICATION_OVER, issue, verification_id=verification_id)
    )
    link = context.settings["verification_link"]
    return Enclosure(found["email"], templates.way_to_verify(found["token"], link))


def _ask(over: FailureCode, call: Callable[..., Json], **request: Any) -> Json:
    """The answer of `users`; `Undeliverable` for the reason `over` when there is none."""
    try:
        return call(**request)
    except NotFound:
        raise Undeliverable(over) from None
