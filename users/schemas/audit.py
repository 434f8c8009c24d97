"""The audit trail."""

from marshmallow import Schema, fields

from chassis.fields import ActorField, Dict, Expected, Page, SingleLine, String, Timestamp, Uuid
from users.audit import Action
from users.fields import Fact, Network, RoleField
from users.schemas.common import Get


class ListAudit(Page):
    user_id = Uuid(load_default=None, allow_none=True)
    actor_id = Uuid(load_default=None, allow_none=True)
    action = fields.Enum(Action, by_value=True, load_default=None, allow_none=True)
    target = SingleLine(max=24, load_default=None, allow_none=True)
    target_id = SingleLine(max=64, load_default=None, allow_none=True)
    since = Timestamp(load_default=None, allow_none=True)
    until = Timestamp(load_default=None, allow_none=True)
    actor = ActorField()


class ListSignIns(Get, Page):
    pass


class AuditEntry(Schema):
    id = fields.Integer()
    at = Timestamp()
    action = fields.String()
    user_id = fields.UUID()
    actor_id = fields.UUID()
    actor_role = fields.String()
    network = fields.String()
    client = fields.String()
    request_id = fields.String()
    target = fields.String()
    target_id = fields.String()
    detail = fields.Dict()


class SignIn(Schema):
    """Of the audit trail, what users see of themselves."""

    at = Timestamp()
    succeeded = fields.Function(lambda entry: entry["action"] == Action.SIGNED_IN)
    network = fields.String()
    client = fields.String()


class StaffActed(Expected):
    """What we need of staff_acted, of whichever service (`chassis.staff`)."""

    action = String(max=40, required=True)
    actor_id = Uuid(required=True)
    actor_role = RoleField(required=True)
    target = String(max=24, required=True)
    target_id = String(max=64, required=True)
    user_id = Uuid(load_default=None, allow_none=True)
    network = Network()
    detail = Dict(keys=String(max=40), values=Fact(allow_none=True), max=20, load_default=dict)
