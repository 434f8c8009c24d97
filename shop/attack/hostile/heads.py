"""Hosts and other headers."""

from shop.attack.hostile.stream import GET, INNER, LENGTH, POST, H, Stream, good

STREAMS = [
    # Host.
    Stream("no Host", "GET /ok HTTP/1.1\r\n\r\n"),
    Stream("an empty Host", "GET /ok HTTP/1.1\r\nHost:\r\n\r\n"),
    Stream("two Hosts", f"GET /ok HTTP/1.1\r\n{H}Host: y\r\n\r\n"),
    Stream("the same Host twice", f"GET /ok HTTP/1.1\r\n{H}{H}\r\n"),
    Stream("two Hosts in one", "GET /ok HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    Stream("two Hosts in one, without a space", "GET /ok HTTP/1.1\r\nHost: a,b\r\n\r\n"),
    Stream("a user in Host", "GET /ok HTTP/1.1\r\nHost: a@b\r\n\r\n"),
    Stream("a path in Host", "GET /ok HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    Stream("a port that is none", "GET /ok HTTP/1.1\r\nHost: a:99999\r\n\r\n"),
    Stream("a port of letters", "GET /ok HTTP/1.1\r\nHost: a:http\r\n\r\n"),
    Stream("an IPv6 address that is none", "GET /ok HTTP/1.1\r\nHost: [::g]\r\n\r\n"),
    *(
        Stream(f"Host: {host!r}", f"GET /ok HTTP/1.1\r\nHost: {host}\r\n\r\n")
        for host in (
            "x\ty",
            "[::1",
            "::1",
            "x#y",
            "x?y",
            "x%00",
            "*",
            "x:80:80",
            "x:-1",
            "http://x",
        )
    ),
    Stream("no Host in HTTP/1.0", "GET /ok HTTP/1.0\r\n\r\n", (200,)),
    Stream("a wrong Host in HTTP/1.0", "GET /ok HTTP/1.0\r\nHost: a b\r\n\r\n"),
    # Other headers.
    Stream("8,150 spaces and NUL", f"{GET}X:{' ' * 8150}\0\r\n\r\n"),
    Stream("8,150 tabs and NUL", f"{GET}X:a{chr(9) * 8150}\0\r\n\r\n"),
    good("8,150 spaces", f"{GET}X: a{' ' * 8150}\r\n\r\n"),
    Stream("NUL", f"{GET}X: a\0b\r\n\r\n"),
    Stream("a bell", f"{GET}X: a\x07b\r\n\r\n"),
    Stream("a bare carriage return", f"{GET}X: a\rb\r\n\r\n"),
    Stream("a bare line feed", f"{GET}X: a\nContent-Length: 5\r\n\r\n"),
    Stream("a line that goes on", f"{GET}X: a\r\n b\r\n\r\n"),
    Stream("a first line that goes on", f"GET /ok HTTP/1.1\r\n X: a\r\n{H}\r\n"),
    Stream("a space before the colon", f"{GET}X : a\r\n\r\n"),
    Stream("no colon", f"{GET}X\r\n\r\n"),
    Stream("no name", f"{GET}: a\r\n\r\n"),
    Stream("a name beyond ASCII", f"{GET}\xe9: a\r\n\r\n".encode("latin-1")),
    *(
        Stream(f"a name with {letter!r}", f"{GET}X{letter}Y: a\r\n\r\n")
        for letter in '"(),/;<=>?@[]{}\x7f\t\0'
    ),
    Stream("DEL in a value", f"{GET}X: a\x7fb\r\n\r\n"),
    good("bytes beyond ASCII in a value", f"{GET}X: \xff\r\n\r\n".encode("latin-1")),
    Stream("the end of a line twice", f"{GET}X: a\r\r\n\r\n"),
    Stream("a name of 9,000 letters", f"{GET}{'X' * 9000}: a\r\n\r\n", (431,)),
    Stream("a value of 9,000 letters", f"{GET}X: {'a' * 9000}\r\n\r\n", (431,)),
    Stream("101 headers", GET + "X: a\r\n" * 101 + "\r\n", (431,)),
    Stream("20,000 headers", GET + "X: a\r\n" * 20_000, (431,)),
    Stream("a head of 60,000 bytes", GET + f"X: {'a' * 8000}\r\n" * 8 + "\r\n", (431,)),
    good("Connection: x-closed", f"{GET}Connection: x-closed\r\n\r\n"),
    good("Connection: closed", f"{GET}Connection: closed, x\r\n\r\n"),
    Stream("Connection: close", f"{GET}Connection: close\r\n\r\n{INNER}", (200,)),
    Stream("close among others", f"{GET}Connection: x ,\tClOsE\r\n\r\n{INNER}", (200,)),
    Stream(
        "close and keep-alive",
        f"{GET}Connection: close\r\nConnection: keep-alive\r\n\r\n{INNER}",
        (200,),
    ),
    Stream("HTTP/1.0", f"GET /ok HTTP/1.0\r\n{H}\r\n{INNER}", (200,)),
    Stream(
        "an upgrade",
        f"{GET}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        (200,),
    ),
    Stream(
        "an upgrade and a body",
        f"{POST}Connection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Content-Length: {LENGTH}\r\n\r\n{INNER}",
    ),
    Stream(
        "an upgrade to a web socket",
        f"{GET}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        (200,),
    ),
    *(
        good(
            f"Connection: {name}",
            f"{POST}Connection: {name}\r\nContent-Length: {LENGTH}\r\n\r\n{INNER}",
            400,
        )
        for name in ("Content-Length", "Host", "Transfer-Encoding", "X-Forwarded-For", ",,,")
    ),
    good("HEAD", f"HEAD /ok HTTP/1.1\r\n{H}\r\n"),
]
