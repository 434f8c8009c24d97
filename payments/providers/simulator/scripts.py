"""What the simulator plays: by the token, and by chance.

| Token | What happens |
| --- | --- |
| `tok_visa` | The charge succeeds; or what the chances (`payments.simulator.chances`) say. |
| `tok_declined`, `tok_insufficient_funds` | It fails. |
| `tok_3ds` | The buyer has to pass a challenge, and never does. |
| `tok_3ds_passes` | The buyer passes it after two seconds. |
| `tok_partial` | Half of the amount is taken. |
| `tok_timeout` | It succeeds, but the answer is lost. |
| `tok_timeout_before` | The first request is lost on its way; a repeat arrives. |
| `tok_down` | Nobody is there, for look-ups either, for `down_seconds` after the first request. |
| `tok_notice_twice` | It succeeds, and its webhook comes twice. |
| `tok_notice_late` | It succeeds, and its webhook comes after `late_seconds`. |
| `tok_notice_lost` | It succeeds, and no webhook comes. |
| `tok_notice_reordered` | It succeeds, and a webhook that it failed follows the right one. |
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from contracts.payments.enums import FailureCode, Status


class Answer(Enum):
    """Whether the caller hears what became of a request."""

    GIVEN = "at once"
    LOST = "it was done, nobody hears"
    LOST_BEFORE = "the first request never arrived"
    DOWN = "nobody is there for a while"


class Delivery(Enum):
    """What becomes of the webhook."""

    ONCE = "comes soon"
    TWICE = "comes twice"
    LATE = "comes after some seconds"
    LOST = "never comes"
    REORDERED = "one about an earlier state comes after it"


@dataclass(frozen=True, slots=True)
class Script:
    """What happens to a charge. `passes`: the buyer passes the challenge; `in_part`: not all of the
    amount is taken."""

    status: Status = Status.SUCCEEDED
    failure_code: str | None = None
    passes: bool = False
    in_part: bool = False
    answer: Answer = Answer.GIVEN
    delivery: Delivery = Delivery.ONCE


#: The faults by name, and what they change in a script; of each group at most one strikes.
OUTCOMES: dict[str, dict[str, Any]] = {
    "declined": {"status": Status.FAILED, "failure_code": FailureCode.CARD_DECLINED},
    "insufficient_funds": {"status": Status.FAILED, "failure_code": FailureCode.INSUFFICIENT_FUNDS},
    "challenge": {"status": Status.REQUIRES_ACTION, "passes": True},
    "partial_capture": {"in_part": True},
}
ANSWERS = {
    "timeout_before": {"answer": Answer.LOST_BEFORE},
    "timeout_after": {"answer": Answer.LOST},
    "down": {"answer": Answer.DOWN},
}
DELIVERIES = {
    "notice_twice": {"delivery": Delivery.TWICE},
    "notice_late": {"delivery": Delivery.LATE},
    "notice_lost": {"delivery": Delivery.LOST},
    "notice_reordered": {"delivery": Delivery.REORDERED},
}
FAULTS = OUTCOMES | ANSWERS | DELIVERIES

#: The token whose fate is left to chance.
ORDINARY = "tok_visa"
TOKENS = {
    ORDINARY: Script(),
    "tok_declined": Script(**FAULTS["declined"]),
    "tok_insufficient_funds": Script(**FAULTS["insufficient_funds"]),
    "tok_3ds": Script(Status.REQUIRES_ACTION),
    "tok_3ds_passes": Script(**FAULTS["challenge"]),
    "tok_partial": Script(**FAULTS["partial_capture"]),
    "tok_timeout": Script(**FAULTS["timeout_after"]),
    "tok_timeout_before": Script(**FAULTS["timeout_before"]),
    "tok_down": Script(**FAULTS["down"]),
    "tok_notice_twice": Script(**FAULTS["notice_twice"]),
    "tok_notice_late": Script(**FAULTS["notice_late"]),
    "tok_notice_lost": Script(**FAULTS["notice_lost"]),
    "tok_notice_reordered": Script(**FAULTS["notice_reordered"]),
}


class Chances:
    """How likely each fault is, from 0 to 1. What strikes a key is decided by the seed, the key and
    the fault alone, so that a run can be repeated, whatever comes first in it."""

    def __init__(self, seed: int, chances: Mapping[str, float]):
        self._seed = seed
        self._chances = chances

    def of_charge(self, token: str, key: str) -> Script:
        """The script of a charge."""
        script = TOKENS[token]
        if token != ORDINARY:
            return script
        for faults in (OUTCOMES, ANSWERS, DELIVERIES):
            script = self._struck(script, faults, key)
        return script

    def of_refund(self, key: str) -> Script:
        """That of a refund, which has no token; it is refused by the books alone."""
        return self._struck(self._struck(Script(), ANSWERS, key), DELIVERIES, key)

    def of_challenge(self, key: str) -> Script:
        """That of the end of a challenge: nobody waits for its answer."""
        return self._struck(Script(), DELIVERIES, key)

    def _struck(self, script: Script, faults: Mapping[str, dict[str, Any]], key: str) -> Script:
        for fault, changes in faults.items():
            if luck(self._seed, key, fault) < self._chances[fault]:
                return replace(script, **changes)
        return script


def luck(seed: int, key: str, fault: str) -> float:
    """A number from 0 to below 1, always the same for the same three."""
    digest = hashlib.sha256(f"{seed} {fault} {key}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
