"""What channels raise; it never leaves the service.

    DeliveryError
     ├── Undeliverable  never: the recipient has no address, or the server refused it for good
     └── NotNow         perhaps later: the server is away, slow or busy

A delivery error carries a code, never the server's own words: those may name the address.
"""


class DeliveryError(Exception):
    """A message was not delivered; `code` says why, in one word."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


class Undeliverable(DeliveryError):
    """It never will be."""


class NotNow(DeliveryError):
    """It may be, later."""
