"""Payment providers behind one port (`payments.providers.port`), and which of them are at hand."""

import datetime
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chassis.database import Handle
from chassis.errors import NotFound
from chassis.external import ExternalCall
from contracts.payments.enums import ProviderName
from contracts.payments.errors import ProviderNotConfigured
from payments.providers.instrumented import Instrumented
from payments.providers.port import Provider
from payments.providers.simulator import Simulator


class Providers:
    """The providers that are configured; new payments go to `chosen`.

    A payment stays with the provider that it was begun with, so that the books of an old one are
    followed to their end after a new one was chosen.
    """

    def __init__(self, chosen: Provider, *others: Provider):
        self.chosen = chosen
        self._by_name = {provider.name: provider for provider in (chosen, *others)}

    def __getitem__(self, name: str) -> Provider:
        """One by its name; raises `ProviderNotConfigured`."""
        try:
            return self._by_name[name]
        except KeyError:
            raise ProviderNotConfigured from None

    def reachable(self, name: str) -> Provider:
        """The one that sends webhooks, and buyers back to us, under that name; raises `NotFound`. A
        simulator that nobody has asked for sends none."""
        is_unasked = name == ProviderName.SIMULATOR and self.chosen.name != name
        if is_unasked or name not in self._by_name:
            raise NotFound("This payment provider is not set up here.")
        return self._by_name[name]

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._by_name.values())


def configured(
    settings: Mapping[str, Any],
    db: Handle,
    clock: Callable[[], datetime.datetime],
    external_call: ExternalCall,
) -> Providers:
    """The one that is named, and beside it the other for its old payments: Stripe, if there is a
    key. Calls to them are each an `external_call`."""
    simulator = Instrumented(Simulator(db, clock, settings["simulator"]), external_call)
    if not settings["stripe"]["api_key"]:
        return Providers(simulator)
    from payments.providers.stripe import Stripe  # 22 MB that the simulator does not need

    api = Stripe(settings["stripe"], settings["call_seconds"], clock)
    stripe = Instrumented(api, external_call)
    if settings["provider"] == ProviderName.SIMULATOR:
        return Providers(simulator, stripe)
    return Providers(stripe, simulator)
