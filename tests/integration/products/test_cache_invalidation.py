"""Whatever changes what is shown of the catalog is told; what fails or changes nothing is not."""

import pytest

from chassis.errors import Conflict, NotFound, PreconditionFailed


@pytest.fixture
def catalog(told):
    """Takes what was told since it was last called: a list of lists of product ids."""
    return lambda: [payload["ids"] for payload in told.pop("catalog_changed", [])]


def test_a_product_is_told_from_first_to_last(catalog, products, shelf):
    """Made, changed, deleted."""
    kettle = shelf("Kettle", sku="K-1")["id"]
    assert catalog() == [[kettle]]
    products.update(product_id=kettle, price="12.00")
    assert catalog() == [[kettle]]
    products.delete(product_id=kettle)
    assert catalog() == [[kettle]]


def test_what_changes_nothing_is_no_news(catalog, products, shelf):
    """Failures among it."""
    kettle = shelf("Kettle", sku="K-1")["id"]
    catalog()
    products.update(product_id=kettle)
    with pytest.raises(PreconditionFailed):
        products.update(product_id=kettle, price="9.00", version=7)
    with pytest.raises(Conflict):
        shelf("Kettle", sku="K-1")
    with pytest.raises(NotFound):
        products.delete(product_id=kettle + 1)
    assert catalog() == []


def test_categories_are_told(catalog, products, category):
    """They are in no product, but decide who is in a list."""
    lamps = category("Lamps")
    assert catalog() == [[]]
    products.update_category(category_id=lamps, name="All lamps")
    assert catalog() == [[]]
    products.update_category(category_id=lamps)
    assert catalog() == []
    products.delete_category(category_id=lamps)
    assert catalog() == [[]]
