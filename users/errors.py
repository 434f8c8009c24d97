"""What `users` answers when it does not do what was asked.

chassis.errors.Fault
 ├── Unauthenticated
 │    ├── BadCredentials     who you say you are and the password do not go together
 │    └── SessionEnded       the refresh token is unknown, expired, used before or logged out
 └── Conflict
      ├── AlreadyExists      the e-mail address or user name is taken; `field` says which
      ├── LastAdmin          the house would be left without an admin
      └── TooManyAddresses   the address book is full
"""

from chassis.errors import Conflict, Unauthenticated


class BadCredentials(Unauthenticated):
    """The same for an unknown user and for a wrong password."""

    code = "bad_credentials"
    title = "The e-mail address, the user name or the password is wrong"


class SessionEnded(Unauthenticated):
    """The refresh token does not hold (any more): sign in again."""

    code = "session_ended"
    title = "Your session has ended, sign in again"


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
