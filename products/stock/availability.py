"""How many of a product can be ordered now, as SQL; the one definition for every read.

What an expired reservation holds is free from the moment it expires: the sweeper only tidies up
later. Statements that use these expressions take the moment as parameter `now`.
"""

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, not_, or_, select

from products.models import Moment, ReservationLine, Stock

NOW = bindparam("now", type_=Moment)

_EXPIRED = and_(ReservationLine.variant_id == Stock.variant_id, ReservationLine.held_until <= NOW)

# Most products are reserved by nobody: for those, the lines are not even looked at.
AVAILABLE: ColumnElement[int] = case(
    (Stock.reserved == 0, Stock.on_hand),
    else_=Stock.on_hand
    - Stock.reserved
    + select(func.coalesce(func.sum(ReservationLine.quantity), 0))
    .where(_EXPIRED)
    .correlate(Stock)
    .scalar_subquery(),
)

_SOME_EXPIRED = exists().where(_EXPIRED).correlate(Stock)

# The same as AVAILABLE > 0 and its opposite, in a form that an index and statistics know.
IN_STOCK = or_(Stock.on_hand > Stock.reserved, and_(Stock.reserved > 0, _SOME_EXPIRED))
SOLD_OUT = and_(Stock.on_hand == Stock.reserved, not_(_SOME_EXPIRED))
