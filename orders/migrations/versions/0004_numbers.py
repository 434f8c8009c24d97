"""Orders have a number that people can read out (`orders.numbers`); so do checkouts under way,
which give theirs to their order.

All rows of `orders` are written anew to get one, about 20 s for a million, and locked meanwhile.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The numbers of a sequence, mixed up: a Feistel network of four rounds on two halves of four digits
# never makes the same of two. SHA-256 stays what it is in every version of PostgreSQL, as its own
# hash functions may not. From the hundred-millionth on, numbers get longer.
ORDER_NUMBER = """
CREATE FUNCTION order_number(n bigint) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    one integer := n % 100000000 / 10000;
    other integer := n % 10000;
    mixed integer;
    digits text;
    digit integer;
    total integer := 0;
BEGIN
    FOR round IN 1..4 LOOP
        mixed := ('x' || left(encode(
            sha256(convert_to('{key}:' || round || ':' || other, 'UTF8')), 'hex'
        ), 7))::bit(28)::integer;
        mixed := (one + mixed % 10000) % 10000;
        one := other;
        other := mixed;
    END LOOP;
    digits := CASE WHEN n >= 100000000 THEN (n / 100000000)::text ELSE '' END
        || lpad(one::text, 4, '0') || lpad(other::text, 4, '0');
    FOR place IN 1..length(digits) LOOP
        digit := substr(digits, length(digits) - place + 1, 1)::integer * (1 + place % 2);
        total := total + CASE WHEN digit > 9 THEN digit - 9 ELSE digit END;
    END LOOP;
    digits := digits || (10 - total % 10) % 10;
    RETURN regexp_replace(digits, '^(\\d+)(\\d{{3}})(\\d{{3}})$', 'S-\\1-\\2-\\3');
END $$
"""


def upgrade() -> None:
    op.execute("CREATE SEQUENCE order_numbers")
    op.execute(ORDER_NUMBER.format(key=secrets.token_hex(16)))
    for table in ("checkouts", "orders"):
        op.add_column(
            table,
            sa.Column(
                "number",
                sa.Text,
                nullable=False,
                server_default=sa.text("order_number(nextval('order_numbers'))"),
            ),
        )
    op.create_unique_constraint("uq_orders_number", "orders", ["number"])


def downgrade() -> None:
    for table in ("orders", "checkouts"):
        op.drop_column(table, "number")
    op.execute("DROP FUNCTION order_number(bigint)")
    op.execute("DROP SEQUENCE order_numbers")
