"""Tax rates, for admins."""

from uuid import UUID

from chassis.messages import Json
from chassis.web import Request, Response, route
from contracts.orders.answers import TaxRate, TaxRatePage
from contracts.orders.interface import Orders
from gateway.access import ADMIN
from gateway.responses import replayable
from gateway.schemas.common import Keyed, idempotency_key
from gateway.schemas.taxes import NewTaxRate, TaxRateEnd, TaxRatePath, TaxRateQuery


class TaxRoutes:
    """`/api/tax-rates…`: what is taxed how much, where and when."""

    orders: Orders

    @route("GET", "/api/tax-rates", who=ADMIN, query=TaxRateQuery, answer=TaxRatePage)
    def list_tax_rates(self, request: Request, query: Json) -> Json:
        """Tax rates, newest first, those that are over too."""
        return self.orders.list_tax_rates(actor=request.actor, **query)

    @route(
        "POST",
        "/api/tax-rates",
        who=ADMIN,
        headers=Keyed,
        body=NewTaxRate,
        answer=TaxRate,
        status=201,
        faults=(404, 409),
    )
    def create_tax_rate(self, request: Request, body: Json) -> Response:
        """Set the rate of a tax class in a country, or in a region of it.

        One rate holds there at any moment: another one at that time is a conflict. What is sold
        without a rate is not taxed; a rate of 0 shows on the order, with its `reason`. An
        `Idempotency-Key` makes it safe to send again; 404 when the rate was deleted meanwhile.
        """
        key = idempotency_key(request)
        rate = self.orders.create_tax_rate(actor=request.actor, key=key, **body)
        return replayable(rate, 201)

    @route(
        "DELETE",
        "/api/tax-rates/{tax_rate_id}",
        who=ADMIN,
        path=TaxRatePath,
        query=TaxRateEnd,
        status=204,
        faults=(404,),
    )
    def end_tax_rate(self, request: Request, tax_rate_id: UUID, query: Json) -> None:
        """Let a tax rate end now, or at `valid_until`.

        It stays in the list. One that has not begun is deleted. Orders keep what they were placed
        with.
        """
        self.orders.end_tax_rate(tax_rate_id=tax_rate_id, actor=request.actor, **query)
