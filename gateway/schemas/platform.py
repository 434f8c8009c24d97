"""Whether everything is there."""

from marshmallow import fields

from chassis.fields import Answer


class Health(Answer):
    service = fields.String(required=True)
    status = fields.String(required=True)
    test_mode = fields.Boolean(
        metadata={"description": "Of payments: no real money is taken for new orders."}
    )


class Liveness(Answer):
    status = fields.String(required=True)


class Readiness(Answer):
    """`checks`: the broker and each service, "ok" or what is wrong with it."""

    status = fields.String(required=True)
    checks = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    test_mode = fields.Boolean(
        required=True, metadata={"description": "No real money is taken for new orders."}
    )
