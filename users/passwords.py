"""Which passwords are good enough.

Length counts, composition does not (NIST SP 800-63B): no rule demands digits or capitals, but
what everybody tries first is refused.
"""

from users.common_passwords import COMMON

MIN_LENGTH = 8
MAX_LENGTH = 128
#: Fewer different characters than this are no password, however long.
MIN_DIFFERENT = 4
_RUNS = ("01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def is_guessable(password: str, email: str | None = None, username: str | None = None) -> bool:
    """True for common passwords, runs and repetitions, and for what the user is called."""
    plain = password.casefold()
    names = {email, email and email.partition("@")[0], username}
    return (
        plain in COMMON
        or len(set(plain)) < MIN_DIFFERENT
        or any(plain in run or plain in run[::-1] for run in _RUNS)
        or plain in {name.casefold() for name in names if name}
    )
