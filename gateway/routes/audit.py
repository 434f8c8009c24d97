"""The audit trail."""

from chassis.messages import Json
from chassis.web import Request, route
from contracts.users.answers import AuditPage
from contracts.users.interface import Users
from gateway.access import ADMIN
from gateway.schemas.audit import AuditQuery


class AuditRoutes:
    """`/api/audit`: who did what to which account or thing, and from where."""

    users: Users

    @route("GET", "/api/audit", who=ADMIN, query=AuditQuery, answer=AuditPage)
    def list_audit(self, request: Request, query: Json) -> Json:
        """What was done to accounts, and by staff to products, stock, orders and payments.

        Newest first. An entry about a thing has its `target` and `target_id`.
        """
        return self.users.list_audit(actor=request.actor, **query)
