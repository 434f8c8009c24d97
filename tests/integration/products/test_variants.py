"""Variants: made, shown, changed, found and taken off the shelf, with their options."""

import itertools
import uuid

import eventlet
import pytest
import sqlalchemy as sa

from chassis.errors import Conflict, Fault, Invalid, NotFound, PreconditionFailed
from contracts.products import answers
from contracts.products.fields import MAX_OPTION_VALUES


@pytest.fixture
def shirt(products):
    """`shirt(("S", "red"), …)`: a product with variants of these sizes and colours, 3 of each."""

    def create(*kinds, **fields):
        variants = [
            {"options": {"Size": size, "Colour": colour}, "stock": 3} for size, colour in kinds
        ]
        return products.create(name="Shirt", price="29.00", variants=variants, **fields)

    return create


def together(make, cases):
    """What `make` returns for each of `cases`, all at once."""
    return [thread.wait() for thread in [eventlet.spawn(make, case) for case in cases]]


def options_of(product):
    return {
        each["name"]: [value["value"] for value in each["values"]] for each in product["options"]
    }


def test_a_product_without_options_has_one_variant(products, shelf):
    """It is the product in another word: its id, its price, its SKU, and what there is of it."""
    mug = shelf("Mug", sku="MUG-1", price="9.50", stock=5)
    answers.ProductDetail().load(mug)
    assert mug["options"] == []
    assert mug["variants"] == [products.get_variant(variant_id=mug["id"])] == [
        {"id": mug["id"], "product_id": mug["id"], "sku": "MUG-1", "options": {}, "price": "9.50",
         "currency": "EUR", "inherits_price": True, "weight_g": 0, "barcode": None, "images": [],
         "position": 1, "available": 5, "version": 1}
    ]  # fmt: skip


def test_a_product_is_made_with_its_variants(products, shirt):
    """Each with its own stock and SKU; ids are of no product. The product has as many as they."""
    made = shirt(("S", "red"), ("M", "red"), ("M", "M"))
    assert products.get(product_id=made["id"]) == made
    assert options_of(made) == {"Size": ["S", "M"], "Colour": ["red", "M"]}
    assert [each["options"] for each in made["variants"]] == [
        {"Size": "S", "Colour": "red"},
        {"Size": "M", "Colour": "red"},
        {"Size": "M", "Colour": "M"},
    ]
    assert made["available"] == 9
    ids = [each["id"] for each in made["variants"]]
    assert made["id"] not in ids
    assert len({each["sku"] for each in made["variants"]} | {made["sku"]}) == 4
    assert products.create(name="Mug", price="1")["id"] > max(ids)


def test_two_admins_make_the_same_at_once(products, shelf):
    """One variant and one conflict, in whatever letters they write it."""
    product = shelf("Shirt", stock=0)["id"]

    def make(size):
        try:
            return products.create_variant(
                product_id=product, options={"Size": size, "Colour": "red"}
            )["version"]
        except Conflict as refused:
            return refused.code

    assert sorted(map(str, together(make, ["M", "m"]))) == ["1", "variant_exists"]
    shown = products.get(product_id=product)
    assert (len(shown["variants"]), len(shown["options"])) == (1, 2)


def test_the_variant_without_options_gives_way(products, shelf):
    """To the first with options, unless there was ever stock of it: then it stays until it gets
    options, or is deleted."""
    empty, full = shelf("Shirt", stock=0)["id"], shelf("Shirt", stock=2)["id"]
    for product in (empty, full):
        products.create_variant(product_id=product, options={"Size": "L"})
    shown = {each: products.get(product_id=each)["variants"] for each in (empty, full)}
    assert [each["options"] for each in shown[empty]] == [{"Size": "L"}]
    assert [each["options"] for each in shown[full]] == [{}, {"Size": "L"}]
    changed = products.update_variant(variant_id=full, options={"size": "S"})
    assert (changed["options"], changed["available"]) == ({"Size": "S"}, 2)


def test_a_product_without_options_has_one_price(products, shelf):
    """Its variant's is the product's, by whichever of the two it is set."""
    mug = shelf("Mug", price="9.50")["id"]
    changed = products.update_variant(variant_id=mug, price="8.00")
    assert (changed["price"], changed["inherits_price"], changed["version"]) == ("8.00", True, 2)
    shown = products.get(product_id=mug)
    assert (shown["price"], shown["variants"], shown["version"]) == ("8.00", [changed], 2)
    assert [each["price"] for each in products.list(max_price="8", currency="EUR")["items"]] == [
        "8.00"
    ]
    assert products.update_variant(variant_id=mug, price=None)["price"] == "8.00"
    products.update(product_id=mug, price="9.00")
    assert products.get_variant(variant_id=mug)["price"] == "9.00"
    free = products.update_variant(variant_id=mug, price="0.00")
    assert (free["price"], products.get(product_id=mug)["price"]) == ("0.00", "0.00")
    cup = products.create(name="Cup", price="10.00", variants=[{"price": "12.00"}])
    assert (cup["price"], cup["variants"][0]["price"]) == ("12.00", "12.00")


def test_one_variant_of_several_has_its_own_price(products, shelf):
    """Until it is the only one, without options."""
    mug = shelf("Mug", price="9.50", stock=2)["id"]
    large = products.create_variant(product_id=mug, options={"Size": "L"}, price="11.00")["id"]
    products.update_variant(variant_id=mug, price="8.00")
    assert products.get(product_id=mug)["price"] == "9.50"
    assert products.get_variant(variant_id=mug)["price"] == "8.00"
    products.delete_variant(variant_id=large)
    shown = products.get(product_id=mug)
    assert (shown["price"], shown["variants"][0]["price"]) == ("8.00", "8.00")


def test_a_price_fits_its_currency(products, shelf):
    """That of the product, whichever of the two changes."""
    mug = shelf("Mug", price="9.00")["id"]
    products.update_variant(variant_id=mug, price="8.50")
    with pytest.raises(Invalid) as refused:
        products.update(product_id=mug, currency="JPY")
    assert refused.value.errors == {"price": ["JPY has 0 decimal places."]}
    products.update_variant(variant_id=mug, price="8")
    products.update(product_id=mug, currency="JPY")
    with pytest.raises(Invalid):
        products.update_variant(variant_id=mug, price="8.50")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"weight_g": -1}, "weight_g"),
        ({"price": "-1.00"}, "price"),
        ({"options": {"Size": ""}}, "options"),
        ({"options": {f"Option {number}": "a" for number in range(6)}}, "options"),
        ({"options": {"Size": "S", "size": "M"}}, "options"),
        ({"options": {"Colour": "red"}}, "options"),
        ({"barcode": "two words"}, "barcode"),
        ({"stock": -1}, "stock"),
        ({"position": 0}, "position"),
    ],
)
def test_bad_input(products, shirt, fields, wrong):
    """A clear error, and nothing half done."""
    product = shirt(("S", "red"))
    with pytest.raises(Invalid) as refused:
        products.create_variant(product_id=product["id"], **fields)
    assert list(refused.value.errors) == [wrong]
    assert products.get(product_id=product["id"]) == product


def test_ten_thousand_values(products, shelf):
    """Are refused before they are looked at; so is the one that is too much."""
    values = [f"{number}" for number in range(10_000)]
    with pytest.raises(Invalid) as refused:
        products.create(name="Cable", price="1", options=[{"name": "Length", "values": values}])
    assert list(refused.value.errors) == ["options"]
    most = [{"name": "Length", "values": values[:MAX_OPTION_VALUES]}]
    cable = products.create(name="Cable", price="1", options=most)["id"]
    with pytest.raises(Invalid) as refused:
        products.create_variant(product_id=cable, options={"Length": "one more"})
    assert refused.value.errors == {"options": ["At most 200 values of an option."]}


def test_a_product_page_with_200_variants(products):
    """Is one call; lists have the product once."""
    sizes = itertools.product([f"{number}" for number in range(20)], "abcdefghij")
    variants = [{"options": {"Size": s, "Fit": f}, "stock": 1} for s, f in sizes]
    made = products.create(name="Shoe", price="9", variants=variants)
    assert len(products.get(product_id=made["id"])["variants"]) == 200
    (listed,) = products.list()["items"]
    assert (listed["id"], listed["available"]) == (made["id"], 200)


def test_a_sku_is_of_one_thing(products, shelf, shirt):
    """Product or variant, deleted ones too."""
    shelf("Mug", sku="MUG-1")
    product = shirt(("S", "red"), ("M", "red"))
    one, other = (each["id"] for each in product["variants"])
    products.update_variant(variant_id=one, sku="SHI-S")
    products.delete_variant(variant_id=one)
    for taken in (
        lambda: products.update_variant(variant_id=other, sku="MUG-1"),
        lambda: products.update_variant(variant_id=other, sku="SHI-S"),
        lambda: products.update_variant(variant_id=other, sku=product["sku"]),
        lambda: shelf("Pot", sku="SHI-S"),
        lambda: products.update(product_id=product["id"], sku="SHI-S"),
    ):
        with pytest.raises(Conflict) as refused:
            taken()
        assert (refused.value.code, refused.value.data) == ("already_exists", {"field": "sku"})
    assert products.update_variant(variant_id=other, sku="SHI-M")["sku"] == "SHI-M"


def test_one_sku_for_a_product_and_a_variant_at_once(products, shelf):
    """No index sees both; one of them gets it all the same."""
    mug = shelf("Mug")["id"]

    def take(make):
        try:
            make()
        except Conflict as refused:
            return refused.code
        return "taken"

    race = [
        lambda: shelf("Pot", sku="ONE"),
        lambda: products.update_variant(variant_id=mug, sku="ONE"),
    ]
    assert sorted(together(take, race)) == ["already_exists", "taken"]


def test_a_new_name_is_no_other_variant(products, shirt):
    """Options and values are renamed, put in order, and added; each variant stays what it is."""
    product = shirt(("S", "red"), ("M", "red"))
    size, colour = product["options"]
    small, medium = size["values"]
    values = [
        {"id": medium["id"], "value": "S"},
        {"id": small["id"], "value": "M"},
        {"value": "L"},
    ]
    changed = products.update_option(
        product_id=product["id"], option_id=size["id"], name="Fit", values=values, version=1
    )
    assert options_of(changed) == {"Fit": ["S", "M", "L"], "Colour": ["red"]}
    assert [(each["id"], each["options"]) for each in changed["variants"]] == [
        (product["variants"][0]["id"], {"Fit": "M", "Colour": "red"}),
        (product["variants"][1]["id"], {"Fit": "S", "Colour": "red"}),
    ]
    with pytest.raises(Conflict) as refused:
        products.create_variant(product_id=product["id"], options={"fit": "s", "colour": "Red"})
    assert refused.value.code == "variant_exists"
    with pytest.raises(PreconditionFailed):
        products.update_option(
            product_id=product["id"], option_id=colour["id"], name="Hue", version=1
        )


def test_what_variants_have_is_kept(products, shirt, shelf):
    """An option or a value that one has is not dropped; what none has is. Ids are of the
    product."""
    product = shirt(("S", "red"), ("M", "red"))
    size, colour = product["options"]
    of_size = {"product_id": product["id"], "option_id": size["id"]}
    for drop in (
        lambda: products.update_option(**of_size, values=size["values"][:1]),
        lambda: products.delete_option(**of_size),
    ):
        with pytest.raises(Conflict) as refused:
            drop()
        assert refused.value.code == "option_in_use"
    assert refused.value.data == {"values": ["S", "M"]}
    for wrong in (
        lambda: products.update_option(**of_size, values=colour["values"]),
        lambda: products.update_option(**of_size, values=[*size["values"], {"value": "s"}]),
        lambda: products.update_option(**of_size, name="colour"),
    ):
        with pytest.raises(Invalid):
            wrong()
    products.delete_variant(variant_id=product["variants"][0]["id"])
    changed = products.update_option(**of_size, values=size["values"][1:])
    assert options_of(changed) == {"Size": ["M"], "Colour": ["red"]}
    other = shelf("Mug")["id"]
    for nowhere in (
        lambda: products.delete_option(product_id=other, option_id=size["id"]),
        lambda: products.update_option(product_id=other, option_id=size["id"], name="Fit"),
    ):
        with pytest.raises(NotFound) as gone:
            nowhere()
        assert gone.value.code == "option_not_found"
    mug = products.create(name="Mug", price="1", options=[{"name": "Ear", "values": ["left"]}])
    (ear,) = mug["options"]
    assert products.delete_option(product_id=mug["id"], option_id=ear["id"])["options"] == []


def test_a_deleted_variant_is_gone(products, shirt):
    """Its product has one left, at least; who has it in the cart is told that there is none."""
    product = shirt(("S", "red"), ("M", "red"))
    small, medium = (each["id"] for each in product["variants"])
    with pytest.raises(PreconditionFailed):
        products.delete_variant(variant_id=small, version=7)
    assert products.delete_variant(variant_id=small, version=1) == {"product_id": product["id"]}
    for gone in (products.get_variant, products.update_variant, products.delete_variant):
        with pytest.raises(NotFound) as refused:
            gone(variant_id=small)
        assert refused.value.code == "variant_not_found"
    with pytest.raises(Conflict) as refused:
        products.delete_variant(variant_id=medium)
    assert refused.value.code == "last_variant"
    shown = products.get(product_id=product["id"])
    assert ([each["id"] for each in shown["variants"]], shown["available"]) == ([medium], 3)
    (sold,) = products.get_variants(ids=[small])["items"]
    assert (sold["deleted"], sold["available"], sold["options"]["Size"]) == (True, 0, "S")
    again = products.create_variant(
        product_id=product["id"], options={"Size": "S", "Colour": "red"}
    )
    assert again["id"] not in (small, medium)


def test_a_value_that_only_deleted_variants_have_may_go(products, shirt):
    """Whoever has one in the cart is told all the same, without that option."""
    product = shirt(("S", "red"), ("M", "blue"))
    small = product["variants"][0]["id"]
    products.delete_variant(variant_id=small)
    for left, option in enumerate(product["options"], 1):
        values = option["values"][1:]
        products.update_option(product_id=product["id"], option_id=option["id"], values=values)
        told = products.get_variants(ids=[small])
        answers.SoldVariantList().load(told)
        assert told["items"][0]["options"] == ({"Colour": "red"} if left == 1 else {})


def test_what_carts_and_orders_are_told(products, shirt, shelf):
    """By ids or by products: of those all that are there, in order. A deleted product has none."""
    product = shirt(("S", "red"), ("M", "red"), sku="SHI", tax_class="clothes")
    small, medium = product["variants"]
    products.update_variant(variant_id=medium["id"], price="31.00", weight_g=180, position=1)
    products.update_variant(variant_id=small["id"], position=2, sku="SHI-S")
    mug, pot = shelf("Mug"), shelf("Pot")
    products.delete(product_id=pot["id"])
    by_product = products.get_variants(product_ids=[product["id"], mug["id"], pot["id"], 999])
    answers.SoldVariantList().load(by_product)
    items = by_product["items"]
    assert [each["id"] for each in items] == [medium["id"], small["id"], mug["id"]]
    assert items[0] == {
        "id": medium["id"], "product_id": product["id"], "sku": medium["sku"], "name": "Shirt",
        "options": {"Size": "M", "Colour": "red"}, "price": "31.00", "currency": "EUR",
        "tax_class": "clothes", "weight_g": 180, "available": 3, "deleted": False,
        "is_only": False,
    }  # fmt: skip
    assert (items[1]["price"], items[1]["sku"], items[2]["options"]) == ("29.00", "SHI-S", {})
    found = products.get_variants(ids=[small["id"], pot["id"], small["id"], 999])["items"]
    assert {each["id"]: each["deleted"] for each in found} == {small["id"]: False, pot["id"]: True}
    for wrong in ({}, {"ids": [1], "product_ids": [1]}):
        with pytest.raises(Invalid):
            products.get_variants(**wrong)


def test_a_product_is_in_stock_when_a_variant_is(products, shirt, names):
    """Sold out is what has nothing of any variant that is there."""
    product = shirt(("S", "red"), ("M", "red"))
    products.create(name="Mug", price="1")
    assert (names(in_stock=True), names(in_stock=False)) == (["Shirt"], ["Mug"])
    sizes = {"Size": "L", "Colour": "red"}
    products.create_variant(product_id=product["id"], options=sizes)
    assert (names(in_stock=True), names(in_stock=False)) == (["Shirt"], ["Mug"])
    for variant in product["variants"]:
        products.delete_variant(variant_id=variant["id"])
    assert (names(in_stock=True), sorted(names(in_stock=False))) == ([], ["Mug", "Shirt"])


def test_a_search_finds_a_product_by_its_variants(products, shirt, names):
    """Their SKUs and the values of their options, until they change."""
    product = shirt(("S", "turquoise"))
    products.update_variant(variant_id=product["variants"][0]["id"], sku="SHI-TUR-9")
    assert names(search="turquoise shirt") == names(search="shitur9") == ["Shirt"]
    products.update(product_id=product["id"], description="Soft")
    assert names(search="SHI-TUR-9") == ["Shirt"]
    colour = product["options"][1]
    value = {"id": colour["values"][0]["id"], "value": "mauve"}
    products.update_option(product_id=product["id"], option_id=colour["id"], values=[value])
    assert (names(search="mauve"), names(search="turquoise")) == (["Shirt"], [])


def test_what_changes_a_variant_is_told(told, products, shirt):
    """As a change of its product; what changes nothing is not."""
    product = shirt(("S", "red"), ("M", "red"))
    one, other = (each["id"] for each in product["variants"])
    (size, _), shown = product["options"], {"product_id": product["id"]}
    for change in (
        lambda: products.update_variant(variant_id=one, price="8.00"),
        lambda: products.create_variant(**shown, options={"Size": "L", "Colour": "red"}),
        lambda: products.update_option(**shown, option_id=size["id"], name="Fit"),
        lambda: products.delete_variant(variant_id=other),
    ):
        told.pop("catalog_changed", None)
        before = products.get(**shown)["version"]
        change()
        assert [news["ids"] for news in told.pop("catalog_changed")] == [[product["id"]]]
        assert products.get(**shown)["version"] == before + 1
    with pytest.raises(Fault):
        products.update_variant(variant_id=one, price="9.00", version=1)
    products.update_variant(variant_id=one)
    assert "catalog_changed" not in told


def test_others_change_nothing(products, shelf):
    """Variants are for admins."""
    mug = shelf("Mug")["id"]
    for role in ("customer", "staff"):
        actor = {"user_id": str(uuid.uuid4()), "role": role}
        for attempt in (
            lambda actor=actor: products.create_variant(product_id=mug, actor=actor),
            lambda actor=actor: products.update_variant(variant_id=mug, price="1", actor=actor),
            lambda actor=actor: products.delete_variant(variant_id=mug, actor=actor),
            lambda actor=actor: products.delete_option(product_id=mug, option_id=1, actor=actor),
            lambda actor=actor: products.update_option(product_id=mug, option_id=1, actor=actor),
        ):
            with pytest.raises(Fault) as refused:
                attempt()
            assert refused.value.code == "forbidden"


def test_the_database_keeps_the_rules(shirt, engine):
    """Whatever the code does: no weight below nothing, no second variant of the same values."""
    product = shirt(("S", "red"))
    one = product["variants"][0]["id"]
    for statement in (
        "UPDATE variants SET weight_g = -1 WHERE id = :one",
        "UPDATE variants SET price = -1 WHERE id = :one",
        "UPDATE variants SET option_key = 'M,red' WHERE id = :one",
        "INSERT INTO variants (product_id, option_key)"
        " SELECT product_id, option_key FROM variants WHERE id = :one",
    ):
        with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
            connection.execute(sa.text(statement), {"one": one})
