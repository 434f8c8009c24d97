"""Keys that providers know our payments and refunds by."""

import uuid

import pytest

from payments.providers import keys

ID = uuid.uuid4()


@pytest.mark.parametrize("kind", [keys.PAYMENT, keys.REFUND])
def test_a_key_leads_back_to_its_row(kind):
    """And to no row of the other kind."""
    other = keys.REFUND if kind == keys.PAYMENT else keys.PAYMENT
    assert keys.id_of(kind, keys.key_of(kind, ID)) == ID
    assert keys.id_of(other, keys.key_of(kind, ID)) is None


@pytest.mark.parametrize("key", [None, "", str(ID), "payment-", "payment-x", f"PAYMENT-{ID}"])
def test_what_is_no_key_of_ours_leads_nowhere(key):
    """Others write what they like where our key would be."""
    assert keys.id_of(keys.PAYMENT, key) is None
