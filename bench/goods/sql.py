"""The statements that make goods and orders.

`{name}` in them is for `statement`; `%(name)s` are parameters, `first` and `last` among them: the
rows of one chunk. Everything about a row follows from its number `i`.
"""

CATEGORIES = """
    WITH department AS (
        INSERT INTO categories (name, slug, description, version)
        SELECT name, lower(name), '', 1
        FROM unnest(%(departments)s::text[]) WITH ORDINALITY AS named (name, position)
        ORDER BY position RETURNING id, name
    )
    INSERT INTO categories (name, slug, description, parent_id, version)
    SELECT kind, lower(kind), '', department.id, 1
    FROM unnest(%(kinds)s::text[], %(department_of)s::text[]) WITH ORDINALITY
        AS kinds (kind, department_name, position)
    JOIN department ON department.name = department_name
    ORDER BY position
"""

PRODUCTS = """
    SELECT i AS id, upper(left(kind, 3)) || '-' || lpad(i::text, 8, '0') AS sku,
        concat_ws(' ', brand, adjective, initcap(material), kind) AS name,
        concat_ws(' ', opening, ending) AS description,
        round((199 + {number_7} %% 49800) / 100.0, 2) AS price, category_id,
        jsonb_build_array('https://images.example/' || i || '.jpg') AS images,
        jsonb_build_object('brand', brand, 'material', material, 'colour', colour,
            'weight_g', 100 + {number_8} %% 9000, 'gift_wrap', {number_9} %% 2 = 0) AS attributes,
        moment AS created_at
    FROM (
        SELECT i, {brand} AS brand, {adjective} AS adjective, {material} AS material,
            {colour} AS colour, {kind} AS kind, {category_id} AS category_id,
            {opening} AS opening, {ending} AS ending,
            %(beginning)s::timestamptz + i * %(pace)s * interval '1 second' AS moment
        FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS i
    ) AS made
"""

#: The same as rows, with the terms that the shop would have found them by.
INDEXED = f"""
    INSERT INTO products (id, sku, name, description, price, currency, category_id, images,
        attributes, version, created_at, updated_at, title, document, indexed_version)
    SELECT id, sku, name, description, price, 'EUR', category_id, images, attributes, 1, created_at,
        created_at, title::tsvector, document::tsvector, 1
    FROM ({PRODUCTS}) AS made
    JOIN unnest(%(ids)s::bigint[], %(titles)s::text[], %(documents)s::text[])
        AS found (id, title, document) USING (id)
"""  # noqa: S608

#: Every 40th is sold out; the rest have enough for any measurement.
STOCK = """
    WITH counted AS (
        SELECT i, CASE WHEN i %% 40 = 0 THEN 0 ELSE 1000 + {number_10} %% 9000 END AS on_hand
        FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS i
    ), sold AS (
        INSERT INTO variants (id, product_id) SELECT i, i FROM counted
    ), stocked AS (
        INSERT INTO stock (variant_id, on_hand, reserved, version)
        SELECT i, on_hand, 0, 1 FROM counted
    )
    INSERT INTO movements (variant_id, kind, delta_on_hand, delta_reserved, reason, at)
    SELECT i, 'initial', on_hand, 0, 'initial stock',
        %(beginning)s::timestamptz + i * %(pace)s * interval '1 second'
    FROM counted WHERE on_hand > 0
"""

WORDS = "INSERT INTO search_words (word) SELECT unnest(%(words)s::text[]) ON CONFLICT DO NOTHING"

#: Three in four are delivered, the rest under way; three lines each.
ORDERS = """
    INSERT INTO orders (id, user_id, status, payment_status, subtotal, net, total,
        prices_include_tax, currency, shipping_address, fingerprint, payment_id, created_at,
        updated_at, expires_at, version)
    SELECT {order_id}, CASE WHEN i %% 10 = 0 THEN %(faithful)s
            ELSE md5('buyer' || i / %(each)s) END::uuid,
        CASE WHEN i %% 4 = 0 THEN 'processing' ELSE 'delivered' END, 'paid', 59.97, 59.97,
        59.97, true, 'EUR',
        '{{"line1": "Hafenweg 7", "city": "Hamburg", "postal_code": "20457", "country": "DE"}}',
        md5(i::text), md5('payment' || i)::uuid, moment, moment, moment + interval '30 minutes', 3
    FROM (
        SELECT i, %(beginning)s::timestamptz + i * %(pace)s * interval '1 second' AS moment
        FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS i
    ) AS made
"""

ORDER_LINES = """
    INSERT INTO order_lines (order_id, line, variant_id, product_id, name, quantity, unit_price,
        net, total)
    SELECT {order_id}, line, product, product, 'Made-up thing', 1, 19.99, 19.99, 19.99
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS i,
        generate_series(1, 3) AS line,
        LATERAL (SELECT 1 + (i * 7 + line * 331) %% %(products)s) AS bought (product)
"""

TIMELINE = """
    INSERT INTO timeline (order_id, at, kind, cause, actor, detail)
    SELECT {order_id}, %(beginning)s::timestamptz + i * %(pace)s * interval '1 second', 'order',
        'placed', 'customer', '{{}}'
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS i
"""


def statement(template: str) -> str:
    """The template filled in: `{number_7}` is a number below 2^31 that `i` and the 7 decide,
    `{brand}` a brand that `i` decides, and so on."""
    numbers = {f"number_{salt}": _number(salt) for salt in range(7, 11)}
    picks = {
        name: f"(%({values})s::{type_})[1 + {_number(salt)} %% %({values}_many)s]"
        for salt, (name, values, type_) in enumerate(
            (
                ("brand", "brands", "text[]"),
                ("adjective", "adjectives", "text[]"),
                ("material", "materials", "text[]"),
                ("colour", "colours", "text[]"),
                ("opening", "sentences", "text[]"),
                ("ending", "sentences", "text[]"),
            )
        )
    }
    for name, values, type_ in (
        ("kind", "kinds", "text[]"),
        ("category_id", "categories", "bigint[]"),
    ):
        picks[name] = f"(%({values})s::{type_})[1 + {_number(20)} %% %(kinds_many)s]"
    return template.format(**numbers, **picks, order_id="md5('order' || i)::uuid")


def _number(salt: int) -> str:
    return f"(hashint8extended(i, {salt}) & 2147483647)"
