"""What providers said of payments a moment ago.

Buyers look at a payment that waits for them again and again, and who comes back from the provider's
page need not even sign in. However many look, the provider is asked once in a few seconds. What it
said may have a secret of the buyer in it, so it is kept for so long only, and nowhere but here.
"""

import datetime
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from chassis.errors import ProviderFault
from payments.errors import ProviderTimeout
from payments.providers.port import ChargeReport

#: For so long what was said is as good as new.
KEPT = datetime.timedelta(seconds=3)
#: Payments that are remembered at most, the ones looked at last.
MOST = 1000


@dataclass
class _Look:
    at: datetime.datetime
    report: ChargeReport | None = field(default=None, repr=False)
    failure: Exception | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_over: bool = False


class RecentAnswers:
    """Of one process, for all its workers."""

    def __init__(self) -> None:
        self._looks: OrderedDict[uuid.UUID, _Look] = OrderedDict()

    def ask(
        self, payment_id: uuid.UUID, now: datetime.datetime, ask: Callable[[], ChargeReport | None]
    ) -> ChargeReport | None:
        """What `ask()` returns or raises, of now or of a moment ago; others who want to know wait
        for the same answer."""
        look = self._recent(payment_id, now) or self._new(payment_id, now)
        with look.lock:
            if not look.is_over:
                try:
                    look.report = ask()
                except (ProviderTimeout, ProviderFault) as error:
                    look.failure = error
                look.is_over = True
        if look.failure is not None:
            raise look.failure.with_traceback(None)
        return look.report

    def keep(self, payment_id: uuid.UUID, now: datetime.datetime, report: ChargeReport) -> None:
        """The provider has just said so anyway."""
        look = self._new(payment_id, now)
        look.report, look.is_over = report, True

    def _recent(self, payment_id: uuid.UUID, now: datetime.datetime) -> _Look | None:
        look = self._looks.get(payment_id)
        return look if look is not None and look.at > now - KEPT else None

    def _new(self, payment_id: uuid.UUID, now: datetime.datetime) -> _Look:
        self._looks.pop(payment_id, None)
        look = self._looks[payment_id] = _Look(now)
        while len(self._looks) > MOST or next(iter(self._looks.values())).at <= now - KEPT:
            self._looks.popitem(last=False)
        return look
