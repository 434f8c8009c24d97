"""Whether everything is there."""

from marshmallow import fields

from gateway.schemas import common


class Health(common.Resource):
    service = fields.String(required=True)
    status = fields.String(required=True)
    test_mode = fields.Boolean(
        metadata={"description": "Of payments: no real money is taken for new orders."}
    )


class Liveness(common.Resource):
    status = fields.String(required=True)


class Readiness(common.Resource):
    """`checks`: the broker and each service, "ok" or what is wrong with it."""

    status = fields.String(required=True)
    checks = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    test_mode = fields.Boolean(
        required=True, metadata={"description": "No real money is taken for new orders."}
    )
