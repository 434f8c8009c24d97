"""The section `products` of config.yaml."""

import pytest
from marshmallow import ValidationError

from products.settings import ProductsSettings


def test_defaults():
    """Nothing needs to be set."""
    assert ProductsSettings().load({})["currency"] == "EUR"


@pytest.mark.parametrize("wrong", [{"currency": "euro"}, {"sweep_batch": 0}, {"typo": 1}])
def test_wrong_values_are_named(wrong):
    """A setting that can't be meant stops the start."""
    with pytest.raises(ValidationError) as refused:
        ProductsSettings().load(wrong)
    assert list(refused.value.normalized_messages()) == list(wrong)
