"""Time-based one-time passwords (RFC 6238) as a second factor, and recovery codes in their place.

Six digits, SHA-1, a step of 30 seconds: what every authenticator app understands. A code holds in
its own step, the one before and the one after, and once. The secret leaves when the user enrols and
never again; it is stored as it is, beside the private keys that sign tokens (ADR 29). Of recovery
codes there are only digests.
"""

import datetime
import secrets

import pyotp

from users import tokens

#: What a code is of: the authenticator app, or the list of recovery codes.
APP, RECOVERY = "totp", "recovery_code"
#: Seconds of one step.
STEP = 30

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def new_secret() -> str:
    """The secret of an authenticator app, in base 32."""
    return pyotp.random_base32()


def uri(secret: str, email: str, issuer: str) -> str:
    """What an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def step_of(secret: str, code: str, now: datetime.datetime) -> int | None:
    """The step in which `code` is right: this one, the one before or the one after."""
    plain, present = _plain(code), int(now.timestamp()) // STEP
    generator = pyotp.TOTP(secret)
    for step in (present, present - 1, present + 1):
        if secrets.compare_digest(generator.generate_otp(step).encode(), plain.encode()):
            return step
    return None


def new_recovery_code() -> str:
    """80 random bits, in four groups that can be read out."""
    letters = [secrets.choice(_ALPHABET) for _ in range(16)]
    return "-".join("".join(letters[first : first + 4]) for first in range(0, 16, 4))


def digest(code: str) -> bytes:
    """What is stored of a recovery code, however it is grouped."""
    return tokens.digest(_plain(code))


def _plain(code: str) -> str:
    return code.replace(" ", "").replace("-", "").lower()
