"""Errors of the users service; `chassis.errors.AlreadyExists` (e-mail address, user name) is
another.

chassis.errors.Fault
 ├── Unauthenticated
 │    ├── BadCredentials     who you say you are and the password do not go together
 │    ├── TotpRequired       they do, and a code of the authenticator app is needed as well
 │    ├── TotpFailed         the code is wrong, was used before or is too old
 │    ├── ChallengeExpired   the password was shown too long ago
 │    └── SessionEnded       the refresh token is unknown, expired, used before or logged out
 ├── Invalid
 │    └── MailedTokenInvalid
 │         ├── ResetTokenInvalid         the token for a new password does not hold
 │         └── VerificationTokenInvalid  the token that confirms an address does not hold
 └── Conflict
      ├── TotpEnabled        there is a second factor already
      ├── TotpNotEnabled     there is none
      ├── AlreadyVerified    there is no address to confirm
      ├── LastAdmin          the house would be left without an admin
      └── TooManyAddresses   the address book is full
"""

from typing import Any

from chassis.errors import Conflict, Invalid, Unauthenticated


class BadCredentials(Unauthenticated):
    """The same for an unknown user and for a wrong password."""

    code = "bad_credentials"
    title = "The e-mail address, the user name or the password is wrong"


class TotpRequired(Unauthenticated):
    """`challenge` goes back with the code (`login_totp`)."""

    code = "totp_required"
    title = "Send a code of your authenticator app with this challenge"


class TotpFailed(Unauthenticated):
    """Also for a recovery code that was used."""

    code = "totp_failed"
    title = "The code is wrong, was used or is too old"


class ChallengeExpired(Unauthenticated):
    """A challenge holds for five minutes, once, and until the password changes."""

    code = "challenge_expired"
    title = "Begin again with your password"


class SessionEnded(Unauthenticated):
    """The refresh token does not hold (any more): sign in again."""

    code = "session_ended"
    title = "Your session has ended, sign in again"


class MailedTokenInvalid(Invalid):
    """The token of a mail holds once, for a while, and until the e-mail address, the password or
    the role changes."""

    title = "The token is unknown, used or too old: ask for a new one"

    def __init__(self, *args: Any, **data: Any):
        data = {"errors": {"token": ["Unknown, used or too old."]}} | data
        super().__init__(*args, **data)


class ResetTokenInvalid(MailedTokenInvalid):
    """The token for a new password does not hold (any more)."""

    code = "reset_token_invalid"


class VerificationTokenInvalid(MailedTokenInvalid):
    """The token that confirms an e-mail address does not hold (any more)."""

    code = "verification_token_invalid"


class TotpEnabled(Conflict):
    """Disable it first."""

    code = "totp_enabled"
    title = "You have a second factor already"


class TotpNotEnabled(Conflict):
    """Enrol first."""

    code = "totp_not_enabled"
    title = "You have no second factor"


class AlreadyVerified(Conflict):
    """The e-mail address is confirmed, and no other one waits to be."""

    code = "already_verified"
    title = "Your e-mail address is confirmed already"


class LastAdmin(Conflict):
    """The only admin can neither be deleted nor become something else."""

    code = "last_admin"
    title = "This is the only admin"


class TooManyAddresses(Conflict):
    """The address book is full."""

    code = "too_many_addresses"
    title = "The address book is full, delete an address first"
