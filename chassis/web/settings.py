"""Settings of the web layer: the sections `web` and `read_cache`, all with defaults."""

from marshmallow import Schema, fields, validate

from chassis.web.cors import CorsSettings
from chassis.web.limits import RateSettings


def _seconds(default: float) -> fields.Float:
    return fields.Float(load_default=default, validate=validate.Range(min=0.05, max=3600))


def _count(default: int) -> fields.Integer:
    return fields.Integer(load_default=default, validate=validate.Range(min=1))


class WebSettings(Schema):
    """Bounds on what one client, and all together, may take."""

    #: Requests that workers serve at the same time; one more gets a 503 at once.
    max_requests = _count(200)
    #: How many of these one client may have, an address or an IPv6 network. Of each of these
    #: bounds the last tenth goes to clients that have nothing yet.
    client_requests = _count(50)
    #: Those of them that try a password or have mail sent, which cost the most; of one client.
    max_sign_ins = _count(16)
    client_sign_ins = _count(4)
    #: Open connections, most of them idle; each costs a green thread and its buffers.
    max_connections = _count(4000)
    #: Of one client; behind trusted proxies it is they who count.
    client_connections = _count(200)
    #: Whether other processes of this service may listen on the same port (SO_REUSEPORT), where the
    #: kernel shares connections among them. Off, a second shop on the port is noticed.
    share_port = fields.Boolean(load_default=False)
    #: Instead of opening a socket: the descriptor of one that we are given, and others perhaps too.
    listen_fd = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=0))
    #: Bytes of a request body.
    body_limit = _count(256 * 1024)
    #: Bytes of all bodies that are being read or worked on, and of those of one client.
    bodies_limit = _count(16 * 1024 * 1024)
    client_bodies_limit = _count(4 * 1024 * 1024)
    #: How long a connection may be idle between two requests.
    idle_seconds = _seconds(60)
    #: From connecting to the first byte, and from the first byte of a request to the end of its
    #: headers.
    header_seconds = _seconds(5)
    #: From there to the end of the body.
    body_seconds = _seconds(20)
    #: A client that takes nothing of its answer for so long is cut off, and one that has not taken
    #: all of it so long after it would have come at 16 KiB a second.
    write_seconds = _seconds(20)
    #: The budget of one request: no RPC made for it may end later.
    request_seconds = _seconds(15)
    #: After the stop signal: still accepting, but /readyz already says 503.
    stop_delay_seconds = fields.Float(load_default=0, validate=validate.Range(min=0, max=600))
    #: After that: how long requests under way may take to finish.
    drain_seconds = _seconds(15)
    #: Proxies of ours in front, each of which adds to `X-Forwarded-For`; 0 believes no such header.
    trusted_proxies = fields.Integer(load_default=0, validate=validate.Range(min=0, max=10))
    #: Whether probes are answered here, too, and not only beside the metrics (METRICS_PORT).
    probes = fields.Boolean(load_default=False)
    #: Whether the description of the API is public: routes that are `docs`.
    docs = fields.Boolean(load_default=True)
    #: Where paths lead that are no route's.
    redirects = fields.Dict(fields.String(), fields.String(), load_default=dict)
    #: Pages of which origins browsers let read our answers.
    cors = fields.Nested(CorsSettings, load_default=lambda: CorsSettings().load({}))
    #: What one client may do in a time.
    rate_limits = fields.Nested(RateSettings, load_default=lambda: RateSettings().load({}))


class ReadCacheSettings(Schema):
    """Section `read_cache`: what routes that `cache_tags` may keep, in one process."""

    #: Oldest answer, in seconds, that may be given although no change was announced; 0: no cache.
    max_age_seconds = fields.Float(load_default=5, validate=validate.Range(min=0, max=5))
    max_entries = _count(20_000)
    max_megabytes = fields.Float(load_default=32, validate=validate.Range(min=1, max=4096))
