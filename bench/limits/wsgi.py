"""An answer that is always the same, on the shop's own web server: eventlet's, in one process.

What no gateway on it can beat: HTTP/1.1 is parsed, an application called, an answer written.
"""

import click
import eventlet
import eventlet.wsgi

#: About as long as a product with a description, pictures and attributes.
SIZE = 700


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", envvar="HTTP_PORT", default=8000, show_default=True)
@click.option("--size", default=SIZE, show_default=True, help="Bytes of the answer.")
def main(host: str, port: int, size: int) -> None:
    """Answer every request with the same JSON, until killed."""
    body = b'{"text": "%s"}' % (b"x" * (size - 12))
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]

    def application(environ, start_response):
        start_response("200 OK", headers)
        return [body]

    eventlet.wsgi.server(
        eventlet.listen((host, port), backlog=128), application, log_output=False, keepalive=True
    )


if __name__ == "__main__":
    main()
