"""Who may do what with everybody's payments."""

from chassis.errors import Forbidden
from chassis.identity import Actor


def require_staff(actor: Actor) -> None:
    """Raise `Forbidden` for customers."""
    if not actor.is_staff:
        raise Forbidden


def require_admin(actor: Actor) -> None:
    """Raise `Forbidden` for all others."""
    if not actor.is_admin:
        raise Forbidden
