"""Who may change the catalog and the stock."""

from chassis.errors import Forbidden
from chassis.identity import Actor


def require_staff(actor: Actor) -> None:
    """Raise `Forbidden` for anybody else than staff and admins."""
    if not actor.is_staff:
        raise Forbidden()


def require_admin(actor: Actor) -> None:
    """Raise `Forbidden` for anybody else than admins."""
    if not actor.is_admin:
        raise Forbidden()
