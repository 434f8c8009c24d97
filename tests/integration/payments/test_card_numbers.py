"""A card number that is sent here leaves no trace."""

import pytest

from chassis.errors import Invalid

NUMBER = "4242424242424242"

METHODS = [
    {"type": "card", "token": NUMBER},
    {"type": "card", "token": "4242 4242 4242 4242"},
    {"type": "card", "number": NUMBER, "cvc": "123"},
    {"type": "card", "token": "tok_visa", "note": {"deep": [NUMBER]}},
    {NUMBER: "card"},
]


def everything_stored(sql):
    tables = sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return "".join(str(sql(f"SELECT * FROM {table['tablename']}")) for table in tables)


@pytest.mark.parametrize("method", METHODS)
def test_a_card_number_is_refused_and_left_nowhere(payments, order, pay, sql, logged, method):
    """Not in a table, a log record or the answer; a payment beside it proves that both are
    looked at."""
    pay()
    with pytest.raises(Invalid) as fault:
        payments.charge(**order | {"key": "2", "method": method})
    assert set(fault.value.errors) == {"method"}
    traces = [everything_stored(sql), str(vars(fault.value)), "".join(logged)]
    assert order["order_id"] in traces[0]
    assert "payment_settled" in traces[2]
    for trace in traces:
        assert "42424242" not in trace.replace(" ", "")  # four digits come up by chance


def test_a_token_is_left_nowhere_either(pay, sql, logged):
    """Whoever reads our tables or logs cannot pay with what is there."""
    pay("tok_visa")
    assert "tok_visa" not in everything_stored(sql)
    assert "tok_visa" not in "".join(logged)
