"""The statements behind what orders hold.

Built once, over plain tables: they run while others wait for the same stock.
"""

from sqlalchemy import UUID as SqlUuid
from sqlalchemy import BigInteger, Integer, Text, any_, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from contracts.inventory.enums import MovementKind, ReservationState
from products.models import Base, Moment
from products.stock.reservations import PLACED

_RESERVATIONS = Base.metadata.tables["reservations"]
_LINES = Base.metadata.tables["reservation_lines"]
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

HOLD = text("""
    INSERT INTO reservation_lines (order_id, variant_id, quantity, held_until)
    SELECT :order, variant_id, quantity, :until
    FROM unnest(:products, :quantities) AS line (variant_id, quantity)
    ON CONFLICT (order_id, variant_id) DO UPDATE SET held_until = excluded.held_until
""").bindparams(
    _ORDER,
    bindparam("until", type_=Moment),
    bindparam("products", type_=ARRAY(BigInteger)),
    bindparam("quantities", type_=ARRAY(Integer)),
)

# Variants as an order is sold them, deleted ones as well: it keeps what it has reserved.
_SOLD = """
    SELECT variant_id, variants.product_id, coalesce(variants.sku, products.sku) AS sku,
        products.name, coalesce(variants.price, products.price) AS price, currency, tax_class,
        weight_g,
        CASE WHEN option_key = '' THEN '{{}}' ELSE (
            SELECT json_object_agg(options.name, value ORDER BY options.position, options.id)
            FROM option_values JOIN options ON options.id = option_id
            WHERE option_values.id = ANY(string_to_array(option_key, ',')::bigint[])
        ) END AS options
    FROM {rows} JOIN variants ON variants.id = variant_id
        JOIN products ON products.id = variants.product_id
    ORDER BY variant_id
"""

# All of `reserve` for an order that is new, with its products as they are answered; or nothing. The
# rows are numbered under the lock, so the movements of a product are in the order in which they
# happened.
RESERVE_NEW = text(
    """
    WITH requested AS (
        SELECT * FROM unnest(:products, :quantities) AS requested (variant_id, quantity)
    ),
    begun AS (
        INSERT INTO reservations (order_id, state, expires_at, created_at, updated_at)
        SELECT :order, :state, :until, :now, :now
        WHERE NOT EXISTS (
            SELECT FROM requested WHERE quantity > coalesce(
                (SELECT on_hand - reserved FROM stock JOIN variants ON variants.id = variant_id
                 WHERE variant_id = requested.variant_id AND deleted_at IS NULL),
                0
            )
        )
        ON CONFLICT DO NOTHING
        RETURNING order_id
    ),
    locked AS (
        SELECT stock.variant_id, quantity
        FROM begun CROSS JOIN requested JOIN stock ON stock.variant_id = requested.variant_id
        ORDER BY stock.variant_id
        FOR NO KEY UPDATE OF stock
    ),
    counted AS (
        UPDATE stock
        SET reserved = stock.reserved + locked.quantity, version = stock.version + 1
        FROM locked WHERE stock.variant_id = locked.variant_id
        RETURNING stock.variant_id, locked.quantity
    ),
    held AS (
        INSERT INTO reservation_lines (order_id, variant_id, quantity, held_until)
        SELECT order_id, variant_id, quantity, :until FROM begun CROSS JOIN requested
    ),
    moved AS (
        INSERT INTO movements
            (variant_id, kind, delta_on_hand, delta_reserved, order_id, reason, actor, at)
        SELECT variant_id, :kind, 0, quantity, :order, :reason, NULL, :now
        FROM counted ORDER BY variant_id
    )
"""
    + _SOLD.format(rows="counted")
).bindparams(
    _ORDER,
    _NOW,
    bindparam("until", type_=Moment),
    bindparam("state", ReservationState.RESERVED.value, type_=Text),
    bindparam("kind", MovementKind.RESERVE.value, type_=Text),
    bindparam("reason", PLACED, type_=Text),
    bindparam("products", type_=ARRAY(BigInteger)),
    bindparam("quantities", type_=ARRAY(Integer)),
)

# All of `commit` or `release` for an order whose lines are all held or all taken, or nothing. While
# the reservation is locked and its time is not over, nobody else touches its lines; that a line is
# held is looked at all the same, for an instance whose clock is ahead may have freed it.
MOVE_WHOLE = text("""
    WITH found AS (
        SELECT order_id, expires_at, kind, on_hand, reserved
        FROM reservations JOIN unnest(:states, :kinds, :on_hand, :reserved)
            AS move (source, kind, on_hand, reserved) ON source = state
        WHERE order_id = :order AND (state <> :held OR expires_at > :lasting AND NOT EXISTS (
            SELECT FROM reservation_lines WHERE order_id = :order AND held_until IS NULL
        ))
        FOR NO KEY UPDATE OF reservations
    ),
    ended AS (
        UPDATE reservations SET state = :ended, updated_at = :now
        FROM found WHERE reservations.order_id = found.order_id
    ),
    locked AS (
        SELECT stock.variant_id, kind, quantity * found.on_hand AS on_hand,
               quantity * found.reserved AS reserved
        FROM found JOIN reservation_lines USING (order_id)
            JOIN stock ON stock.variant_id = reservation_lines.variant_id
        ORDER BY stock.variant_id
        FOR NO KEY UPDATE OF stock
    ),
    no_longer_held AS (
        UPDATE reservation_lines SET held_until = NULL FROM locked
        WHERE order_id = :order AND reservation_lines.variant_id = locked.variant_id
            AND held_until IS NOT NULL
    ),
    counted AS (
        UPDATE stock SET
            on_hand = stock.on_hand + locked.on_hand,
            reserved = stock.reserved + locked.reserved,
            version = stock.version + 1
        FROM locked WHERE stock.variant_id = locked.variant_id
        RETURNING stock.variant_id, kind, locked.on_hand, locked.reserved
    )
    INSERT INTO movements
        (variant_id, kind, delta_on_hand, delta_reserved, order_id, reason, actor, at)
    SELECT variant_id, kind, on_hand, reserved, :order, :reason, NULL, :now
    FROM counted ORDER BY variant_id
    RETURNING (SELECT product_id FROM variants WHERE variants.id = variant_id) AS product_id,
        delta_on_hand <> delta_reserved AS is_seen, (SELECT expires_at FROM found) AS expires_at
""").bindparams(
    _ORDER,
    _NOW,
    bindparam("lasting", type_=Moment),
    bindparam("held", ReservationState.RESERVED.value, type_=Text),
    bindparam("ended", type_=Text),
    bindparam("reason", type_=Text),
    bindparam("states", type_=ARRAY(Text)),
    bindparam("kinds", type_=ARRAY(Text)),
    bindparam("on_hand", type_=ARRAY(Integer)),
    bindparam("reserved", type_=ARRAY(Integer)),
)

SOLD = text(_SOLD.format(rows="unnest(:variants) AS wanted (variant_id)")).bindparams(
    bindparam("variants", type_=ARRAY(BigInteger))
)

LINES_OF_ORDER = (
    select(_LINES.c.variant_id, _LINES.c.quantity, _LINES.c.held_until.is_not(None))
    .where(_LINES.c.order_id == _ORDER)
    .order_by(_LINES.c.variant_id)
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
PRODUCTS_OF = select(_LINES.c.variant_id).where(_LINES.c.order_id == any_(_ORDERS))

_FREED = (
    update(_LINES)
    .where(_LINES.c.order_id == any_(_ORDERS), _LINES.c.held_until.is_not(None))
    .values(held_until=None)
    .returning(_LINES.c.order_id, _LINES.c.variant_id, _LINES.c.quantity)
    .cte("freed")
)
# The orders are over; what they still held is answered.
EXPIRE = select(*_FREED.c).add_cte(
    update(_RESERVATIONS)
    .where(_RESERVATIONS.c.order_id == any_(_ORDERS))
    .values(state=ReservationState.EXPIRED.value, updated_at=_NOW)
    .cte("over")
)
