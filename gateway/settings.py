"""Settings of the gateway."""

from marshmallow import Schema, fields, validate


class LiveSettings(Schema):
    """Section `live`: the streams of notifications."""

    #: Open streams of all users. They are connections, of which `web.max_connections` are all.
    max_streams = fields.Integer(load_default=3000, validate=validate.Range(min=1))
    #: Open streams of one user: windows and devices.
    max_streams_of_user = fields.Integer(load_default=10, validate=validate.Range(min=1))
    #: After so long without an event a comment is sent.
    heartbeat_seconds = fields.Float(load_default=15, validate=validate.Range(min=0.05, max=300))
    #: How often all streams are compared with their feeds, for a broadcast may be lost.
    catch_up_seconds = fields.Float(load_default=5, validate=validate.Range(min=0.05, max=300))


class SessionSettings(Schema):
    """Section `sessions`: how long what `users` said of a session holds."""

    check_seconds = fields.Float(load_default=5, validate=validate.Range(min=0.05, max=30))
    #: While `users` cannot be asked.
    trust_seconds = fields.Float(load_default=60, validate=validate.Range(min=0, max=600))
