"""How many of a variant can be ordered now, as SQL; the one definition for every read.

The expressions are of a row of `stock`, a variant at a location; a variant has the sum of its rows.
What lies at a location that is not active is not for sale. What an expired reservation holds is
free from the moment it expires: the sweeper only tidies up later. Statements that use these
expressions take the moment as parameter `now`.
"""

from sqlalchemy import (
    ColumnElement,
    and_,
    any_,
    bindparam,
    case,
    exists,
    func,
    not_,
    or_,
    select,
)

from products.models import Location, Moment, ReservationLine, Stock

NOW = bindparam("now", type_=Moment)

_EXPIRED = and_(
    ReservationLine.variant_id == Stock.variant_id,
    ReservationLine.location == Stock.location,
    ReservationLine.held_until <= NOW,
)
_OPEN = ReservationLine.quantity - ReservationLine.shipped - ReservationLine.cancelled

# Most variants are reserved by nobody: for those, the lines are not even looked at.
FREE: ColumnElement[int] = case(
    (Stock.reserved == 0, Stock.on_hand),
    else_=Stock.on_hand
    - Stock.reserved
    + select(func.coalesce(func.sum(_OPEN), 0)).where(_EXPIRED).correlate(Stock).scalar_subquery(),
)

# Read once for a statement, not once for each row.
_ACTIVE = Stock.location == any_(
    func.array(select(Location.code).where(Location.active).scalar_subquery())
)

AVAILABLE: ColumnElement[int] = case((_ACTIVE, FREE), else_=0)

_SOME_EXPIRED = exists().where(_EXPIRED).correlate(Stock)

# The same as AVAILABLE > 0 and its opposite, in a form that an index and statistics know.
IN_STOCK = and_(
    _ACTIVE, or_(Stock.on_hand > Stock.reserved, and_(Stock.reserved > 0, _SOME_EXPIRED))
)
SOLD_OUT = and_(Stock.on_hand == Stock.reserved, not_(_SOME_EXPIRED))
