"""What `users` answers when it does not do what was asked.

chassis.errors.Fault
 ├── Unauthenticated
 │    ├── BadCredentials     who you say you are and the password do not go together
 │    ├── TotpRequired       they do, and a code of the authenticator app is needed as well
 │    ├── TotpFailed         the code is wrong, was used before or is too old
 │    ├── ChallengeExpired   the password was shown too long ago
 │    └── SessionEnded       the refresh token is unknown, expired, used before or logged out
 ├── Invalid
 │    └── ResetTokenInvalid  the mailed token is unknown, expired or used
 └── Conflict
      ├── TotpEnabled        there is a second factor already
      ├── TotpNotEnabled     there is none
      ├── AlreadyExists      the e-mail address or user name is taken; `field` says which
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


class ResetTokenInvalid(Invalid):
    """The token of a mail holds once, for half an hour, and until the password changes."""

    code = "reset_token_invalid"
    title = "The token is unknown, used or too old: ask for a new one"

    def __init__(self, *args: Any, **data: Any):
        data = {"errors": {"token": ["Unknown, used or too old."]}} | data
        super().__init__(*args, **data)


class TotpEnabled(Conflict):
    """Disable it first."""

    code = "totp_enabled"
    title = "You have a second factor already"


class TotpNotEnabled(Conflict):
    """Enrol first."""

    code = "totp_not_enabled"
    title = "You have no second factor"


class AlreadyExists(Conflict):
    """`field` ("email" or "username") is somebody else's."""

    code = "already_exists"
    title = "Somebody has this already"


class LastAdmin(Conflict):
    """The only admin can neither be deleted nor become something else."""

    code = "last_admin"
    title = "This is the only admin"


class TooManyAddresses(Conflict):
    """The address book is full."""

    code = "too_many_addresses"
    title = "The address book is full, delete an address first"
