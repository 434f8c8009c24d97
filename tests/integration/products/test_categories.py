"""The category tree."""

import eventlet
import pytest

from chassis.errors import Conflict, Invalid, NotFound, PreconditionFailed
from contracts.products import answers
from products.catalog import categories


def test_a_tree_comes_as_a_list(products, category):
    """Parents tell the form; slugs come from names."""
    home = category("Home & Living", description="All for the home.")
    category("Lamps", parent_id=home)
    items = products.list_categories()["items"]
    assert [(c["name"], c["slug"], c["parent_id"]) for c in items] == [
        ("Home & Living", "home-living", None),
        ("Lamps", "lamps", home),
    ]
    for item in items:
        answers.Category().load(item)
        assert products.get_category(category_id=item["id"]) == item


def test_slugs_are_unique(products, category):
    """A slug that was asked for is given or refused; one made from a name gets a number."""
    made = [category(name) for name in ("Straße", "Łódź", "Организация вещей", "Lodz", "🦊")]
    slugs = [products.get_category(category_id=each)["slug"] for each in made]
    assert slugs == ["strasse", "lodz", "organizatsiia-veshchei", "lodz-2", "category"]
    category("Sale")
    assert products.create_category(name="Sale")["slug"] == "sale-2"
    with pytest.raises(Conflict) as refused:
        products.create_category(name="Anything", slug="sale")
    assert refused.value.code == "already_exists"
    with pytest.raises(Conflict):
        products.update_category(category_id=category("Other"), slug="sale")


def test_an_update_changes_what_it_names(products, category):
    """A new name leaves the slug, for addresses stay; a new parent moves the branch."""
    home, lamps = category("Home"), category("Lamps")
    changed = products.update_category(category_id=lamps, name="Lights", parent_id=home)
    assert changed == {
        "id": lamps,
        "name": "Lights",
        "slug": "lamps",
        "description": "",
        "parent_id": home,
        "version": 2,
    }
    assert products.update_category(category_id=lamps, parent_id=None)["parent_id"] is None


def test_a_category_that_has_changed_is_left_alone(products, category):
    """With a version that is not its own any more, a category is neither changed nor deleted."""
    lamps = category("Lamps")
    lights = products.update_category(category_id=lamps, name="Lights", version=1)
    for write in (products.update_category, products.delete_category):
        with pytest.raises(PreconditionFailed) as stale:
            write(category_id=lamps, version=1)
        assert stale.value.data["version"] == 2
    assert products.get_category(category_id=lamps) == lights
    products.delete_category(category_id=lamps, version=2)
    assert products.list_categories()["items"] == []


def test_no_circles(products, category):
    """A category can't be moved below itself, not even two floors down."""
    top = category("Top")
    middle = category("Middle", parent_id=top)
    bottom = category("Bottom", parent_id=middle)
    for parent in (top, middle, bottom):
        with pytest.raises(Invalid) as refused:
            products.update_category(category_id=top, parent_id=parent)
        assert list(refused.value.errors) == ["parent_id"]


def test_two_moves_at_once_close_no_circle(products, category):
    """Each move alone is fine, both together are not: one of them is refused."""
    for _ in range(5):
        one, other = category("One"), category("Other")

        def move(what, under):
            try:
                products.update_category(category_id=what, parent_id=under)
            except Invalid:
                return "refused"

        moves = [eventlet.spawn(move, one, other), eventlet.spawn(move, other, one)]
        assert sorted(str(move.wait()) for move in moves) == ["None", "refused"]


def test_a_category_in_use_stays(products, category, shelf):
    """Products and subcategories keep it; when they are gone, it can go."""
    home = category("Home")
    lamps = category("Lamps", parent_id=home)
    lamp = shelf("Lamp", category_id=lamps)
    for in_use in (home, lamps):
        with pytest.raises(Conflict) as refused:
            products.delete_category(category_id=in_use)
        assert refused.value.code == "category_in_use"
    products.delete(product_id=lamp["id"])
    products.delete_category(category_id=lamps)
    products.delete_category(category_id=home)
    assert products.list_categories()["items"] == []


def test_unknown_categories(products, category):
    """What does not exist is not found; as a parent it is a wrong field."""
    for method in (products.get_category, products.update_category, products.delete_category):
        with pytest.raises(NotFound) as unknown:
            method(category_id=99)
        assert unknown.value.code == "category_not_found"
    with pytest.raises(Invalid) as refused:
        category("Orphan", parent_id=99)
    assert list(refused.value.errors) == ["parent_id"]


def test_the_tree_is_bounded(products, category, monkeypatch):
    """The whole tree is one answer, so it ends somewhere."""
    monkeypatch.setattr(categories, "MAX_CATEGORIES", 2)
    category("One")
    category("Two")
    with pytest.raises(Conflict) as refused:
        category("Three")
    assert refused.value.code == "too_many_categories"
