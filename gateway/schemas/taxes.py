"""Tax rates."""

from chassis.fields import Request, Uuid
from contracts.orders import requests
from gateway.schemas.derive import body, query

NewTaxRate = body(
    "NewTaxRate",
    requests.CreateTaxRate,
    "Without `region` for the whole country, without `valid_from` from now on. A rate of 0 has a"
    " `reason`.",
    without=("key", "actor"),
)
TaxRateQuery = query("TaxRateQuery", requests.ListTaxRates, without=("actor",))
TaxRateEnd = query("TaxRateEnd", requests.EndTaxRate, without=("tax_rate_id", "actor"))


class TaxRatePath(Request):
    tax_rate_id = Uuid(required=True)
