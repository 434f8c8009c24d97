"""Bytes that are not, or not quite, HTTP: refused, and nothing of them is run as a second request.

RFC 9112 says what a server must refuse. Most of these have smuggled requests past other
servers' proxies.
"""

import re

from shop.attack.check import Check, Outcome
from shop.attack.scene import Scene

_SECOND = b"GET /api/products?limit=1&smuggled=1 HTTP/1.1\r\nHost: shop\r\n\r\n"
_POST = b"POST /api/inventory/check HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
_GET = b"GET /api/products?limit=1 HTTP/1.1\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n"

#: What is sent, by its name; each must be answered once, with a refusal, or not at all.
STREAMS = {
    "two lengths": _POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}" + _SECOND,
    "length and chunks": _CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n" + _SECOND,
    "a signed length": _POST + b"Content-Length: +2\r\n\r\n{}" + _SECOND,
    "a length with words": _POST + b"Content-Length: 2 bytes\r\n\r\n{}" + _SECOND,
    "a negative length": _POST + b"Content-Length: -1\r\n\r\n{}" + _SECOND,
    "a hexadecimal length": _POST + b"Content-Length: 0x2\r\n\r\n{}" + _SECOND,
    "another coding": _POST + b"Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n" + _SECOND,
    "chunks not last": _POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n" + _SECOND,
    "chunked twice": _POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + _SECOND,
    "a space before the colon": _POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + _SECOND,
    "a folded coding": _POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + _SECOND,
    "a vertical tab in the coding": _POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a bad chunk length": _CHUNKED + b"\r\nzz\r\n{}\r\n0\r\n\r\n" + _SECOND,
    "a signed chunk length": _CHUNKED + b"\r\n+2\r\n{}\r\n0\r\n\r\n" + _SECOND,
    "a chunk longer than it says": _CHUNKED + b"\r\n1\r\n{}\r\n0\r\n\r\n" + _SECOND,
    "a huge chunk length": _CHUNKED + b"\r\nffffffffffffffff0\r\n" + _SECOND,
    "no host": b"GET /api/products?limit=1 HTTP/1.1\r\n\r\n" + _SECOND,
    "two hosts": _GET + b"Host: shop\r\nHost: evil\r\n\r\n" + _SECOND,
    "a list of hosts": _GET + b"Host: a, b\r\n\r\n" + _SECOND,
    "a host with a path": _GET + b"Host: shop/evil\r\n\r\n" + _SECOND,
    "a NUL in a header": _GET + b"Host: shop\r\nX: a\x00b\r\n\r\n" + _SECOND,
    "spaces and a NUL": _GET + b"Host: shop\r\nX:" + b" " * 8150 + b"\x00\r\n\r\n",
    "a lone CR in a header": _GET + b"Host: shop\r\nX: a\rY: b\r\n\r\n" + _SECOND,
    "a header without a name": _GET + b"Host: shop\r\n: x\r\n\r\n" + _SECOND,
    "a header without a colon": _GET + b"Host: shop\r\nnonsense\r\n\r\n" + _SECOND,
    "a folded header": _GET + b"Host: shop\r\nX: a\r\n b\r\n\r\n" + _SECOND,
    "5,000 headers": _GET + b"Host: shop\r\n" + b"X: y\r\n" * 5000 + b"\r\n" + _SECOND,
    "a header of 100 kB": _GET + b"Host: shop\r\nX: " + b"y" * 100_000 + b"\r\n\r\n" + _SECOND,
    "a target of 100 kB": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: shop\r\n\r\n",
    "a target without a slash": b"GET livez HTTP/1.1\r\nHost: shop\r\n\r\n" + _SECOND,
    "a name in the target": b"GET http://a:b@evil/api/products HTTP/1.1\r\nHost: shop\r\n\r\n",
    "a method of 10 kB": b"A" * 10_000 + b" / HTTP/1.1\r\nHost: shop\r\n\r\n",
    "HTTP/3.0": b"GET /api/products HTTP/3.0\r\nHost: shop\r\n\r\n" + _SECOND,
    "HTTP/1.10": b"GET /api/products HTTP/1.10\r\nHost: shop\r\n\r\n" + _SECOND,
    "no version": b"GET /api/products\r\n\r\n" + _SECOND,
    "an HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _SECOND,
    "a TLS hello": bytes.fromhex("1603010200010001fc0303") + bytes(500),
    "random bytes": bytes(range(256)) * 8,
    "a CONNECT": b"CONNECT evil:80 HTTP/1.1\r\nHost: evil:80\r\n\r\n" + _SECOND,
}
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


def _battery(scene: Scene, outcome: Outcome) -> None:
    for name, stream in STREAMS.items():
        answer = scene.door.send(stream, scene.door.new_address())
        statuses = [int(status) for status in _STATUS.findall(answer)]
        outcome.expect(
            len(statuses) <= 1 and all(400 <= status < 506 for status in statuses),
            f"{name}: answered {statuses}",
        )
        outcome.expect(500 not in statuses, f"{name}: answered 500")
    health = scene.stranger.call("GET", "/api/products?limit=1")
    outcome.expect(health.status == 200, f"after the streams the shop answers {health.status}")


CHECKS = [Check("streams", "hostile bytes", "refused once, and nothing behind them run", _battery)]
