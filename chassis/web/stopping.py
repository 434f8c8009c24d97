"""How far the stop of a web server has come."""

from dataclasses import dataclass


@dataclass(slots=True)
class Stopping:
    """Set by the server, and read by what serves its connections."""

    #: Asked to stop; still serving, but each answer is the last of its connection, and load
    #: balancers should go elsewhere.
    has_begun: bool = False
    #: No longer accepting.
    is_draining: bool = False
