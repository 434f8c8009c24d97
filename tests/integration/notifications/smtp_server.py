"""A mail server for tests: `python -m aiosmtpd -c tests.integration.notifications.smtp_server.Box`.

It keeps what it takes in a maildir, and is difficult by the recipient's name.
"""

import asyncio

from aiosmtpd.handlers import Mailbox


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
