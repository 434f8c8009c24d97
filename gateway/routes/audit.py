"""The audit trail."""

from chassis.web import route
from gateway.access import ADMIN
from gateway.schemas.audit import AuditPage, AuditQuery


class AuditRoutes:
    """`/api/audit`: who did what to whose account, and from where."""

    @route("GET", "/api/audit", who=ADMIN, query=AuditQuery, answer=AuditPage)
    def list_audit(self, request, query):
        """The audit trail: what was done to accounts, sessions, roles and keys, newest first."""
        return self.users.list_audit(actor=request.actor, **query)
