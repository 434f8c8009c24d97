"""Something that breaks a rule."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """`subject` is what it is about (an id), `detail` what is wrong with it."""

    subject: str
    detail: str
