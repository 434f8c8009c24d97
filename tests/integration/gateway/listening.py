"""A client of the stream that reads raw bytes, so that a test sees what a browser would."""

import json
import socket
from types import SimpleNamespace


class Stream:
    """One open stream: `stream.events(3)`; `status` and `headers` of its answer."""

    def __init__(self, address, token, last_id=None, buffer=None, method="GET"):
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(20)
        host, _, port = address.partition(":")
        self.socket.connect((host, int(port)))
        head = f"{method} /api/notifications/stream HTTP/1.1\r\nHost: x\r\n"
        head += f"Authorization: Bearer {token}\r\n"
        if last_id is not None:
            head += f"Last-Event-ID: {last_id}\r\n"
        self.socket.sendall(f"{head}\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.last_id = last_id
        self.status = self.headers = None

    def head(self):
        """Read status and headers; returns self."""
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        while (line := self.file.readline()) != b"\r\n":
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()
        return self

    def lines(self):
        """The lines of the body, out of its chunks, until its end."""
        rest = b""
        while size := int(self.file.readline() or b"0", 16):
            rest += self.file.read(size)
            self.file.readline()
            *lines, rest = rest.split(b"\n")
            yield from lines
        self.file.readline()

    def blocks(self):
        """Comments and events as they come."""
        block = SimpleNamespace(id=None, event=None, data=None, comment=False)
        for line in self.lines():
            if line:
                name, _, value = line.decode().partition(":")
                if name == "":
                    block.comment = True
                elif name != "retry":
                    setattr(block, name, value.strip())
                continue
            if block.id is not None:
                block.id = self.last_id = int(block.id)
            if block.data is not None:
                block.data = json.loads(block.data)
            yield block
            block = SimpleNamespace(id=None, event=None, data=None, comment=False)

    def events(self, count):
        """The next events of any kind but comments; fewer when the stream ends before."""
        found = []
        self._blocks = getattr(self, "_blocks", None) or self.blocks()
        while len(found) < count and (block := next(self._blocks, None)):
            if not block.comment:
                found.append(block)
        return found

    def close(self):
        self.file.close()
        self.socket.close()
