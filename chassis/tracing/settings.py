"""The section `tracing` of config.yaml."""

from marshmallow import Schema, fields, validate


class TracingSettings(Schema):
    """Where spans go, and which part of the traces is recorded."""

    #: Where a collector takes OTLP over HTTP, without the path; empty, nothing is recorded.
    endpoint = fields.String(
        load_default="",
        allow_none=True,
        validate=validate.Regexp(
            r"(https?://[^\s/?#]+[^\s?#]*)?\Z", error='A URL such as "http://localhost:4318".'
        ),
    )
    #: Of the traces that begin here, the part that is recorded.
    sample_ratio = fields.Float(
        load_default=1.0, allow_nan=False, validate=validate.Range(min=0, max=1)
    )
    #: Whether the sampled flag of a request's own `traceparent` decides, and not we.
    trust_callers = fields.Boolean(load_default=False)
    #: Off whatever the rest says, as OpenTelemetry's own variable has it.
    disabled = fields.Boolean(load_default=False)
