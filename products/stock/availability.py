"""How many of a variant can be ordered now, as SQL; the one definition for every read.

Where no more is said, an expression is of a row of `stock`, a variant at a location; a variant has
the sum of its rows, a product that of its variants. What lies at a location that is not active is
not for sale. What an expired reservation holds is free from the moment it expires: the sweeper only
tidies up later. Statements that use these expressions take the moment as parameter `now`.
"""

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    any_,
    bindparam,
    case,
    cast,
    exists,
    func,
    not_,
    or_,
    select,
)

from products.models import Location, Moment, Product, ReservationLine, Stock, Variant

#: More is not counted: the largest number of an `available`.
MOST = 2**31 - 1

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

#: How many can be ordered now of the row's variant, or of all variants of the row's product.
AVAILABLE_OF_VARIANT: ColumnElement[int] = (
    select(cast(func.least(func.coalesce(func.sum(AVAILABLE), 0), MOST), Integer))
    .where(Stock.variant_id == Variant.id)
    .correlate(Variant)
    .scalar_subquery()
)
AVAILABLE_OF_PRODUCT: ColumnElement[int] = (
    select(cast(func.least(func.coalesce(func.sum(AVAILABLE), 0), MOST), Integer))
    .select_from(Stock)
    .join(Variant, Variant.id == Stock.variant_id)
    .where(Variant.product_id == Product.id, Variant.deleted_at.is_(None))
    .correlate(Product)
    .scalar_subquery()
)

_SOME_EXPIRED = exists().where(_EXPIRED).correlate(Stock)

# In a form that an index and statistics know. IN_STOCK is the same as AVAILABLE > 0: a variant is
# in stock when one of its rows is. NOTHING_FREE may be so of one row while another has some.
IN_STOCK = and_(
    _ACTIVE, or_(Stock.on_hand > Stock.reserved, and_(Stock.reserved > 0, _SOME_EXPIRED))
)
NOTHING_FREE = and_(Stock.on_hand == Stock.reserved, not_(_SOME_EXPIRED))
