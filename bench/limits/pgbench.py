"""What PostgreSQL itself does of the shop's work, by pgbench with 16 connections.

    product   the statement behind a product's page, as the shop sends it
    reserve   one order's three lines held: reservation, stock locked and counted, ledger
    place     the order written: order, lines, timeline, event for the outbox

A checkout is the last two, on one machine: its limit follows from both, one after the other.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import click
from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql

from products.catalog import queries as catalog_queries
from products.models import Product
from shop.local.postgres import binaries
from shop.local.server import LocalError

CONNECTIONS = 16

#: Products of an order are neighbours, of which none is the sold-out 40th (`bench.goods`).
_RESERVE = """\
\\set order random(1, 9000000000000000000)
\\set product random(0, :products / 40 - 1) * 40 + random(1, 37)
BEGIN;
INSERT INTO reservations (order_id, state, expires_at, created_at, updated_at)
VALUES (md5(:order)::uuid, 'reserved', now() + interval '35 minutes', now(), now())
ON CONFLICT DO NOTHING;
SELECT variant_id, on_hand, reserved, stock.version, deleted_at IS NULL
FROM stock JOIN variants ON variants.id = variant_id
WHERE variant_id = ANY (ARRAY[:product::bigint, :product::bigint + 1, :product::bigint + 2])
ORDER BY variant_id FOR NO KEY UPDATE OF stock;
INSERT INTO reservation_lines (order_id, variant_id, quantity, held_until)
SELECT md5(:order)::uuid, variant_id, 1, now() + interval '35 minutes'
FROM generate_series(:product::bigint, :product::bigint + 2) AS variant_id;
WITH counted AS (
    UPDATE stock SET reserved = reserved + 1, version = version + 1
    WHERE variant_id = ANY (ARRAY[:product::bigint, :product::bigint + 1, :product::bigint + 2])
)
INSERT INTO movements (variant_id, kind, delta_on_hand, delta_reserved, order_id, reason, at)
SELECT variant_id, 'reserve', 0, 1, md5(:order)::uuid, 'order placed', now()
FROM generate_series(:product::bigint, :product::bigint + 2) AS variant_id;
COMMIT;
"""

_PLACE = """\
\\set order random(1, 9000000000000000000)
\\set buyer random(1, 100000)
BEGIN;
INSERT INTO orders (id, user_id, status, payment_status, subtotal, net, total,
    prices_include_tax, currency, shipping_address, fingerprint, created_at, updated_at,
    expires_at, version)
VALUES (md5(:order)::uuid, md5(:buyer)::uuid, 'pending', 'unpaid', 59.97, 59.97, 59.97,
    true, 'EUR',
    '{"line1": "Hafenweg 7", "city": "Hamburg", "postal_code": "20457", "country": "DE"}',
    md5(:order), now(), now(), now() + interval '30 minutes', 1);
INSERT INTO order_lines (order_id, line, variant_id, product_id, name, quantity, unit_price, net,
    total)
SELECT md5(:order)::uuid, line, line, line, 'Norvik Compact Oak Bookcase', 1, 19.99, 19.99, 19.99
FROM generate_series(1, 3) AS line;
INSERT INTO timeline (order_id, at, kind, cause, actor, detail)
VALUES (md5(:order)::uuid, now(), 'order', 'placed', 'customer', '{"total": "59.97"}'),
    (md5(:order)::uuid, now(), 'stock', 'reserved', 'system', '{"until": "2026-01-01"}');
INSERT INTO outbox (event_id, source, type, payload, headers, occurred_at)
VALUES (gen_random_uuid(), 'orders', 'order_placed',
    jsonb_build_object('order_id', :order::text), '{}', now());
COMMIT;
"""


def measure(
    products_dsn: str, orders_dsn: str, products: int, seconds: float = 5.0
) -> dict[str, float]:
    """Transactions a second of each script and of a whole checkout; the databases are of
    `bench.goods` with so many `products`, and have some reservations and orders more afterwards."""
    rates = {
        "product": run(products_dsn, _product(), products, seconds),
        "reserve": run(products_dsn, _RESERVE, products, seconds),
        "place": run(orders_dsn, _PLACE, products, seconds),
    }
    return rates | {"checkout": 1 / (1 / rates["reserve"] + 1 / rates["place"])}


def _product() -> str:
    wanted = catalog_queries.select_products().where(Product.id == bindparam("id"))
    compiled = wanted.compile(dialect=postgresql.dialect(paramstyle="named"))
    text = " ".join(str(compiled).split()).replace(":now", "now()")
    for name, value in compiled.params.items():
        if value is not None:
            text = text.replace(f":{name}", str(value))
    return f"\\set id random(1, :products)\n{text};\n"


def run(dsn: str, script: str, products: int, seconds: float) -> float:
    """Transactions of `script` a second; raises LocalError with what pgbench complained of."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "script.sql"
        file.write_text(script)
        command = [
            *(_binary(), "--no-vacuum", "--protocol=prepared", "--jobs=1"),
            *(f"--client={CONNECTIONS}", f"--time={max(1, round(seconds))}"),
            *(f"--define=products={products}", f"--file={file}", dsn),
        ]
        done = subprocess.run(command, capture_output=True, text=True, env=_environment())
    rates = [line.split()[2] for line in done.stdout.splitlines() if line.startswith("tps = ")]
    if done.returncode != 0 or not rates:
        complaint, *_ = done.stderr.splitlines() or ["it said nothing"]
        raise LocalError(f"pgbench failed: {complaint}")
    return float(rates[0])


def _binary() -> str:
    """That of the embedded server, else the installed one."""
    try:
        own = binaries() / "pgbench"
    except LocalError:
        own = None
    found = str(own) if own is not None and own.exists() else shutil.which("pgbench")
    if found is None:
        raise LocalError("no pgbench: install PostgreSQL's client programs")
    return found


def _environment() -> dict[str, Any]:
    return os.environ | {"PGOPTIONS": "-c jit=off -c timezone=UTC"}  # as the shop's connections


@click.command()
@click.argument("products_dsn")
@click.argument("orders_dsn")
@click.option("--products", required=True, type=int, help="How many there are.")
@click.option("--seconds", default=5.0, show_default=True, help="For each of three scripts.")
def main(products_dsn: str, orders_dsn: str, products: int, seconds: float) -> None:
    """Measure the shop's statements without the shop."""
    click.echo(json.dumps(measure(products_dsn, orders_dsn, products, seconds)))


if __name__ == "__main__":
    main()
