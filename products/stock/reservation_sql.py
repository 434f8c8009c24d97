"""The statements behind what orders hold.

Built once, over plain tables: they run while others wait for the same stock.
"""

from sqlalchemy import UUID as SqlUuid
from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    Text,
    any_,
    bindparam,
    exists,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from contracts.inventory.enums import MovementKind, ReservationState
from products.models import Base, Moment
from products.sold_variant import SQL
from products.stock.reservations import PLACED

_RESERVATIONS = Base.metadata.tables["reservations"]
_LINES = Base.metadata.tables["reservation_lines"]
_MOVEMENTS = Base.metadata.tables["movements"]
_ORDER = bindparam("order", type_=SqlUuid)
_NOW = bindparam("now", type_=Moment)

BEGIN = (
    insert(_RESERVATIONS)
    .values(
        order_id=_ORDER,
        state=bindparam("begun"),
        expires_at=bindparam("until", type_=Moment),
        created_at=_NOW,
        updated_at=_NOW,
    )
    .on_conflict_do_nothing()
)

LOCK = (
    select(_RESERVATIONS.c.state, _RESERVATIONS.c.expires_at)
    .where(_RESERVATIONS.c.order_id == _ORDER)
    .with_for_update(key_share=True)
)

RENEW = (
    update(_RESERVATIONS)
    .where(_RESERVATIONS.c.order_id == _ORDER)
    .values(
        state=ReservationState.RESERVED.value,
        expires_at=bindparam("until", type_=Moment),
        updated_at=_NOW,
    )
)

COMMIT = (
    update(_RESERVATIONS)
    .where(_RESERVATIONS.c.order_id == _ORDER)
    .values(state=ReservationState.COMMITTED.value, updated_at=_NOW)
)

# The lines of an order as they are now; with those that it has no more, nothing else is of it.
SAVE = text("""
    WITH line AS (
        SELECT * FROM unnest(
            :variants, :locations, :quantities, :shipped, :cancelled, :held
        ) AS line (variant_id, location, quantity, shipped, cancelled, held)
    ),
    gone AS (
        DELETE FROM reservation_lines AS old WHERE order_id = :order AND NOT EXISTS (
            SELECT FROM line WHERE (line.variant_id, line.location) = (old.variant_id, old.location)
        )
    )
    INSERT INTO reservation_lines
        (order_id, variant_id, location, quantity, shipped, cancelled, held_until)
    SELECT :order, variant_id, location, quantity, shipped, cancelled,
        CASE WHEN held THEN coalesce(CAST(:until AS timestamptz), 'infinity') END
    FROM line
    ON CONFLICT (order_id, variant_id, location) DO UPDATE SET quantity = excluded.quantity,
        shipped = excluded.shipped, cancelled = excluded.cancelled,
        held_until = excluded.held_until
""").bindparams(
    _ORDER,
    bindparam("until", type_=Moment),
    bindparam("variants", type_=ARRAY(BigInteger)),
    bindparam("locations", type_=ARRAY(Text)),
    bindparam("quantities", type_=ARRAY(Integer)),
    bindparam("shipped", type_=ARRAY(Integer)),
    bindparam("cancelled", type_=ARRAY(Integer)),
    bindparam("held", type_=ARRAY(Boolean)),
)

# Variants as an order is sold them, deleted ones as well: it keeps what it has reserved.
_SOLD = """
    SELECT variant_id{more}, {columns}
    FROM {rows} JOIN variants ON variants.id = variant_id
        JOIN products ON products.id = variants.product_id
    ORDER BY variant_id
"""

# All of `reserve` for an order that is new, with its variants as they are answered; or nothing. The
# rows are numbered under the lock, so the movements of a variant are in the order in which they
# happened. It is the first location that has everything, if one has: as it is the first, what has
# expired there counts, but then it is not this statement that takes it.
RESERVE_NEW = text(
    """
    WITH requested AS (
        SELECT * FROM unnest(:variants, :quantities) AS requested (variant_id, quantity)
    ),
    chosen AS (
        SELECT code FROM locations
        WHERE active AND NOT EXISTS (
            SELECT FROM requested WHERE quantity > coalesce(
                (SELECT on_hand - reserved + CASE
                    WHEN reserved = 0 OR requested.quantity <= on_hand - reserved THEN 0
                    ELSE (
                        SELECT coalesce(sum(line.quantity - shipped - cancelled), 0)
                        FROM reservation_lines AS line
                        WHERE (line.variant_id, line.location) = (stock.variant_id, stock.location)
                            AND held_until <= :now
                    ) END
                 FROM stock JOIN variants ON variants.id = variant_id
                 WHERE variant_id = requested.variant_id AND location = code
                     AND deleted_at IS NULL),
                0
            )
        )
        ORDER BY coalesce(country = :country, false) DESC, priority, code LIMIT 1
    ),
    begun AS (
        INSERT INTO reservations (order_id, state, expires_at, created_at, updated_at)
        SELECT :order, :state, :until, :now, :now
        FROM chosen WHERE NOT EXISTS (
            SELECT FROM requested WHERE quantity > (
                SELECT on_hand - reserved FROM stock
                WHERE variant_id = requested.variant_id AND location = code
            )
        )
        ON CONFLICT DO NOTHING
        RETURNING order_id
    ),
    locked AS (
        SELECT stock.variant_id, stock.location, quantity
        FROM begun CROSS JOIN chosen CROSS JOIN requested JOIN stock
            ON stock.variant_id = requested.variant_id AND stock.location = code
        ORDER BY stock.variant_id
        FOR NO KEY UPDATE OF stock
    ),
    counted AS (
        UPDATE stock
        SET reserved = stock.reserved + locked.quantity, version = stock.version + 1
        FROM locked
        WHERE stock.variant_id = locked.variant_id AND stock.location = locked.location
        RETURNING stock.variant_id, stock.location, locked.quantity
    ),
    held AS (
        INSERT INTO reservation_lines (order_id, variant_id, location, quantity, held_until)
        SELECT order_id, variant_id, code, quantity, :until
        FROM begun CROSS JOIN chosen CROSS JOIN requested
    ),
    moved AS (
        INSERT INTO movements
            (variant_id, location, kind, delta_on_hand, delta_reserved, order_id, reason, actor, at)
        SELECT variant_id, location, :kind, 0, quantity, :order, :reason, NULL, :now
        FROM counted ORDER BY variant_id
    )
"""  # noqa: S608
    + _SOLD.format(rows="counted", more=", location", columns=SQL)
).bindparams(
    _ORDER,
    _NOW,
    bindparam("until", type_=Moment),
    bindparam("country", type_=Text),
    bindparam("state", ReservationState.RESERVED.value, type_=Text),
    bindparam("kind", MovementKind.RESERVE.value, type_=Text),
    bindparam("reason", PLACED, type_=Text),
    bindparam("variants", type_=ARRAY(BigInteger)),
    bindparam("quantities", type_=ARRAY(Integer)),
)

# The order's lines are what they were when the statement began, also if it had to wait for the
# reservation; and all that is still to leave is held.
_IS_WHOLE = """
    version = (SELECT version FROM reservations WHERE order_id = :order) AND NOT EXISTS (
        SELECT FROM reservation_lines WHERE order_id = :order AND held_until IS NULL
            AND shipped + cancelled < quantity
    )
"""

# All of `commit` for an order whose lines are all held, or nothing. Nothing moves, so no stock is
# locked: while the reservation is locked and its time is not over, nobody else touches its lines.
# That each is held is looked at all the same, for an instance whose clock is ahead may have freed
# it: `kept` is as many as there `were` then, unless it just did.
COMMIT_WHOLE = text(
    f"""
    WITH found AS (
        SELECT order_id, expires_at FROM reservations
        WHERE order_id = :order AND state = :held AND expires_at > :lasting
            AND {_IS_WHOLE}
        FOR NO KEY UPDATE
    ),
    ended AS (
        UPDATE reservations SET state = :ended, updated_at = :now
        FROM found WHERE reservations.order_id = found.order_id
    ),
    kept AS (
        UPDATE reservation_lines SET held_until = 'infinity' FROM found
        WHERE reservation_lines.order_id = found.order_id AND held_until IS NOT NULL
        RETURNING 1
    )
    SELECT expires_at, (SELECT count(*) FROM kept) AS kept, (
        SELECT count(*) FROM reservation_lines WHERE order_id = :order AND held_until IS NOT NULL
    ) AS were
    FROM found
"""  # noqa: S608
).bindparams(
    _ORDER,
    _NOW,
    bindparam("lasting", type_=Moment),
    bindparam("held", ReservationState.RESERVED.value, type_=Text),
    bindparam("ended", ReservationState.COMMITTED.value, type_=Text),
)

# All of `release` for an order whose lines are all held, or nothing.
RELEASE_WHOLE = text(
    f"""
    WITH found AS (
        SELECT order_id, expires_at FROM reservations
        WHERE order_id = :order AND {_IS_WHOLE}
            AND (state = :held AND expires_at > :lasting OR state = :committed)
        FOR NO KEY UPDATE
    ),
    ended AS (
        UPDATE reservations SET state = :ended, updated_at = :now
        FROM found WHERE reservations.order_id = found.order_id
    ),
    locked AS (
        SELECT stock.variant_id, stock.location, quantity - shipped - cancelled AS open
        FROM found JOIN reservation_lines USING (order_id)
            JOIN stock ON stock.variant_id = reservation_lines.variant_id
                AND stock.location = reservation_lines.location
        WHERE held_until IS NOT NULL
        ORDER BY stock.variant_id, stock.location
        FOR NO KEY UPDATE OF stock
    ),
    no_longer_held AS (
        UPDATE reservation_lines SET held_until = NULL FROM locked
        WHERE order_id = :order AND reservation_lines.variant_id = locked.variant_id
            AND reservation_lines.location = locked.location
    ),
    counted AS (
        UPDATE stock SET reserved = stock.reserved - open, version = stock.version + 1
        FROM locked
        WHERE stock.variant_id = locked.variant_id AND stock.location = locked.location
        RETURNING stock.variant_id, stock.location, open
    ),
    moved AS (
        INSERT INTO movements
            (variant_id, location, kind, delta_on_hand, delta_reserved, order_id, reason, actor, at)
        SELECT variant_id, location, :kind, 0, -open, :order, :reason, NULL, :now
        FROM counted ORDER BY variant_id, location
        RETURNING (SELECT product_id FROM variants WHERE variants.id = variant_id) AS product_id
    )
    SELECT expires_at, product_id FROM found LEFT JOIN moved ON true
"""  # noqa: S608
).bindparams(
    _ORDER,
    _NOW,
    bindparam("lasting", type_=Moment),
    bindparam("held", ReservationState.RESERVED.value, type_=Text),
    bindparam("committed", ReservationState.COMMITTED.value, type_=Text),
    bindparam("ended", ReservationState.RELEASED.value, type_=Text),
    bindparam("kind", MovementKind.RELEASE.value, type_=Text),
    bindparam("reason", type_=Text),
)

_WANTED = "unnest(:variants) AS wanted (variant_id)"
SOLD = text(_SOLD.format(rows=_WANTED, more="", columns=SQL)).bindparams(
    bindparam("variants", type_=ARRAY(BigInteger))
)

LINES_OF_ORDER = (
    select(
        _LINES.c.variant_id,
        _LINES.c.location,
        _LINES.c.quantity,
        _LINES.c.held_until.is_not(None).label("held"),
        _LINES.c.shipped,
        _LINES.c.cancelled,
    )
    .where(_LINES.c.order_id == _ORDER)
    .order_by(_LINES.c.variant_id, _LINES.c.location)
)

BOOKED = select(exists().where(_MOVEMENTS.c.cause_id == bindparam("cause", type_=SqlUuid)))

# Its lines have changed.
TOUCH = (
    update(_RESERVATIONS)
    .where(_RESERVATIONS.c.order_id == _ORDER)
    .values(version=_RESERVATIONS.c.version + 1, updated_at=_NOW)
)

# The order holds nothing any more: both tables in one statement.
END = (
    update(_RESERVATIONS)
    .where(_RESERVATIONS.c.order_id == _ORDER)
    .values(state=bindparam("ended"), updated_at=_NOW)
    .add_cte(
        update(_LINES)
        .where(_LINES.c.order_id == _ORDER, _LINES.c.held_until.is_not(None))
        .values(held_until=None)
        .cte("no_longer_held")
    )
)

DUE = (
    select(_RESERVATIONS.c.order_id)
    .where(
        _RESERVATIONS.c.state == ReservationState.RESERVED.value, _RESERVATIONS.c.expires_at <= _NOW
    )
    .order_by(_RESERVATIONS.c.expires_at)
    .limit(bindparam("batch"))
    .with_for_update(skip_locked=True, key_share=True)
)

_ORDERS = bindparam("orders", type_=ARRAY(SqlUuid))
VARIANTS_OF = select(_LINES.c.variant_id).where(_LINES.c.order_id == any_(_ORDERS))

_FREED = (
    update(_LINES)
    .where(_LINES.c.order_id == any_(_ORDERS), _LINES.c.held_until.is_not(None))
    .values(held_until=None)
    .returning(
        _LINES.c.order_id,
        _LINES.c.variant_id,
        _LINES.c.location,
        _LINES.c.quantity - _LINES.c.shipped - _LINES.c.cancelled,
    )
    .cte("freed")
)
# The orders are over; what they still held is answered.
EXPIRE = select(*_FREED.c).add_cte(
    update(_RESERVATIONS)
    .where(_RESERVATIONS.c.order_id == any_(_ORDERS))
    .values(state=ReservationState.EXPIRED.value, updated_at=_NOW)
    .cte("over")
)
