"""A mail server for tests, in a process of its own, since asyncio and eventlet don't mix:

    python -m tests.integration.notifications.smtp_server PORT MAILDIR [CERTIFICATE KEY]

It keeps what it takes, and is difficult by the recipient's name. With a certificate it takes mail
only over TLS, and only from `shop` with the password `secret`.
"""

import asyncio
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import AuthResult


class Box(Mailbox):
    """Keeps mails, except for those who are `refused@`, `busy@` or `slow@`."""

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        name = address.partition("@")[0]
        if name == "refused":
            return "550 no such mailbox: refused@example.org"
        if name == "busy":
            return "451 come again: busy@example.org"
        if name == "slow":
            await asyncio.sleep(5)
        envelope.rcpt_tos.append(address)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, given):
    return AuthResult(success=(given.login, given.password) == (b"shop", b"secret"))


def main(port, folder, certificate=None, key=None):
    secure = {}
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        secure = {
            "tls_context": context,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": authenticate,
        }
    Controller(Box(folder), hostname="127.0.0.1", port=int(port), **secure).start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
