"""The audit trail."""

from chassis.fields import Timestamp
from contracts.users import requests
from gateway.schemas.derive import query

AuditQuery = query(
    "AuditQuery",
    requests.ListAudit,
    without=("actor", "since", "until"),
    from_=Timestamp(data_key="from", attribute="since"),
    to=Timestamp(attribute="until"),
)
