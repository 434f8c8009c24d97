"""Where bodies end, and what comes behind them."""

from shop.attack.hostile.stream import CHUNKED, GET, INNER, LENGTH, POST, H, Stream, good

STREAMS = [
    # Where the body ends.
    good("a body", f'{POST}Content-Length: 12\r\n\r\n{{"note":"a"}}'),
    good("a request in a body", f"{POST}Content-Length: {LENGTH}\r\n\r\n{INNER}", 400),
    Stream(
        "a request in a body that nobody takes", f"{GET}Content-Length: {LENGTH}\r\n\r\n{INNER}"
    ),
    Stream(
        "two lengths", f"{POST}Content-Length: 2\r\nContent-Length: {LENGTH}\r\n\r\n{{}}{INNER}"
    ),
    Stream("a length twice", f"{POST}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}"),
    Stream("a list of lengths", f"{POST}Content-Length: 2, 2\r\n\r\n{{}}"),
    *(
        Stream(f"Content-Length: {length!r}", f"{POST}Content-Length: {length}\r\n\r\n{{}}{INNER}")
        for length in (
            "+2",
            "-2",
            "0x2",
            "2a",
            "2.0",
            "1_0",
            "2 2",
            "2,",
            "2;",
            "2\x0b",
            "2\x0c",
            "",
            "9" * 30,
            "18446744073709551618",
            '"2"',
        )
    ),
    good("a length with spaces around", f"{POST}Content-Length:  \t2 \t\r\n\r\n{{}}"),
    good("a length with zeros", f"{POST}Content-Length: 0002\r\n\r\n{{}}"),
    good("an empty line behind a body", f"{POST}Content-Length: 2\r\n\r\n{{}}\r\n"),
    good("no body, and a length", f"{GET}Content-Length: 0\r\n\r\n"),
    Stream("no body, and a coding", f"{GET}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{INNER}"),
    Stream("HEAD and a body", f"HEAD /ok HTTP/1.1\r\n{H}Content-Length: {LENGTH}\r\n\r\n{INNER}"),
    good(
        "another type, too", f"{POST}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{{}}", 415
    ),
    Stream("a folded length", f"{POST}Content-Length:\r\n {LENGTH}\r\n\r\n{INNER}"),
    *(
        good(
            f"{name} is no header of HTTP",
            f"{POST}{name}\r\nContent-Length: {LENGTH}\r\n\r\n{INNER}",
            400,
        )
        for name in ("Transfer_Encoding: chunked", "TransferEncoding: chunked", "Content_Length: 2")
    ),
    Stream("a length of a gigabyte", f"{POST}Content-Length: 1073741824\r\n\r\n", (413,)),
    Stream(
        "a length and chunks",
        f"{POST}Content-Length: {LENGTH + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{INNER}",
    ),
    Stream(
        "chunks and a length",
        f"{POST}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n{INNER}",
    ),
    *(
        Stream(
            f"Transfer-Encoding: {coding!r}",
            f"{POST}Transfer-Encoding: {coding}\r\n\r\n0\r\n\r\n{INNER}",
            (400,),
        )
        for coding in (
            "chunked, gzip",
            "gzip",
            "identity",
            "xchunked",
            "chunkedx",
            "chunked;q=1",
            "chunked, chunked",
            "\x0bchunked",
            '"chunked"',
            "",
            "chunked\r\nTransfer-Encoding: x",
            "chunked\r\nTransfer-Encoding: chunked",
            "chunked\r\nContent-Length: 0",
            "\r\n chunked",
            "chunked,",
            ",chunked",
            "chunked\x0b",
            "chunked \x00",
            "chunked;",
            "chun ked",
            "cow",
        )
    ),
    Stream(
        "chunks in HTTP/1.0",
        f"POST /take HTTP/1.0\r\n{H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{INNER}",
    ),
    Stream(
        "a space before Transfer-Encoding's colon",
        f"{POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{INNER}",
    ),
    Stream(
        "a coding before chunked",
        f"{POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{INNER}",
    ),
    # Chunks.
    good("chunks", CHUNKED + '7\r\n{"note"\r\n5\r\n:"a"}\r\n0\r\n\r\n'),
    good("an extension and a trailer", CHUNKED + "2;a=b\r\n{}\r\n0\r\nX: a\r\n\r\n"),
    good("a trailer of 256 bytes", f"{CHUNKED}2\r\n{{}}\r\n0\r\nX: {'a' * 251}\r\n\r\n"),
    good("a trailer of 254 bytes and an end", f"{CHUNKED}2\r\n{{}}\r\n0\r\nX: {'a' * 249}\r\n\r\n"),
    Stream("a request as trailers", f"{CHUNKED}0\r\nX: {'a' * 251}\r\n{INNER}"),
    good("a request as the value of a trailer", f"{CHUNKED}0\r\nX:{'a' * 254}{INNER}"),
    Stream(
        "a length as a trailer",
        f"{CHUNKED}2\r\n{{}}\r\n0\r\nContent-Length: {LENGTH}\r\n\r\n{INNER}",
    ),
    Stream("3,000 trailers", CHUNKED + "0\r\n" + "a: b\r\n" * 3000),
    Stream("an extension of 20,000 bytes", f"{CHUNKED}2;{'a' * 20_000}\r\n{{}}\r\n0\r\n\r\n"),
    Stream("a line feed in an extension", f"{CHUNKED}2;a\nb\r\n{{}}\r\n0\r\n\r\n"),
    Stream("600 chunks of a byte", CHUNKED + "1\r\na\r\n" * 600),
    *(
        Stream(f"a chunk of {size!r}", f"{CHUNKED}{size}\r\n{{}}\r\n0\r\n\r\n{INNER}")
        for size in (
            "0x2",
            "-2",
            "+2",
            " 2",
            "2 ",
            "2g",
            "zz",
            "",
            "1",
            "3",
            "10000000000000002",
            "ffffffffffffffff0",
            "2\t",
            "2\r",
            "2\x0b",
            "2;a\rb",
            '2;a="\r\n"',
        )
    ),
    Stream("a chunk size with a bare line feed", f"{CHUNKED}2\n{{}}\r\n0\r\n\r\n{INNER}"),
    Stream("a chunk that ends in a bare line feed", f"{CHUNKED}2\r\n{{}}\n0\r\n\r\n{INNER}"),
    Stream("a last chunk with bare line feeds", f"{CHUNKED}2\r\n{{}}\r\n0\n\n{INNER}"),
    Stream("no end of a chunk", f"{CHUNKED}2\r\n{{}}0\r\n\r\n{INNER}"),
    good("a last chunk of zeros, with an extension", f"{CHUNKED}2\r\n{{}}\r\n000;a=b\r\n\r\n"),
    *(
        Stream(f"the trailer {line!r}", f"{CHUNKED}2\r\n{{}}\r\n0\r\n{line}\r\n\r\n{INNER}")
        for line in ("X", "X : a", " X: a", "X: a\r\n b", "X: a\nY: b", "X: a\0", ": a", "X: a\rb")
    ),
    # What follows.
    good("a pipeline", (GET + "\r\n") * 20, *[200] * 20),
    Stream("garbage behind a good one", f"{GET}\r\nGARBAGE\r\n\r\n{INNER}", (200, 400)),
    good("empty lines in a chunk", CHUNKED + f"{len(INNER):x}\r\n{INNER}\r\n0\r\n\r\n", 400),
    good("an unknown expectation", f"{POST}Expect: x\r\nContent-Length: 2\r\n\r\n{{}}"),
    good("an expectation without a body", f"{GET}Expect: 100-continue\r\n\r\n"),
    good(
        "an expectation twice",
        f"{POST}Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{{}}",
    ),
]
