"""What `users` answers when it does not do what was asked.

chassis.errors.Fault
 ├── Unauthenticated
 │    ├── BadCredentials     who you say you are and the password do not go together
 │    └── SessionEnded       the refresh token is unknown, expired, used before or logged out
 ├── Invalid
 │    └── ResetTokenInvalid  the mailed token is unknown, expired or used
 └── Conflict
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
