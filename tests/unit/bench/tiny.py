"""A server that does as it is told, in a process of its own; it prints its port.

`/ok/<text>` and `/json/<text>` answer the text, `/busy` 503, `/slow/<ms>` later, `/parted` in two
pieces, `/last` once and closes, `/gone` never and closes.
"""

import asyncio
import sys


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while head := await _head(reader):
        _, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        what, _, rest = path[1:].partition("/")
        if what == "gone":
            break
        if what == "slow":
            await asyncio.sleep(int(rest) / 1000)
        status = b"503 Busy" if what == "busy" else b"200 OK"
        body = rest.encode()
        writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n" % (status, len(body)))
        writer.write(b"Content-Type: application/json\r\n" if what == "json" else b"")
        if what == "parted":
            await writer.drain()
            await asyncio.sleep(0.001)
        writer.write(b"Connection: close\r\n" if what == "last" else b"")
        writer.write(b"\r\n" + body)
        if what == "last":
            break
    writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return b""


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
