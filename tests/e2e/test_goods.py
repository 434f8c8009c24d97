"""Catalog and stock over HTTP."""

import uuid


def test_a_product_from_its_making_to_its_end(shop):
    """Made, read by everybody, changed, replaced, deleted."""
    sku = f"SKU-{uuid.uuid4().hex[:8]}"
    product = shop.product(sku=sku, description="Oak", attributes={"legs": 4}, stock=3)
    path = f"/api/products/{product['id']}"
    assert shop.admin.answer.headers["Location"] == path
    assert (product["price"], product["currency"], product["available"]) == ("10.00", "EUR", 3)
    assert shop.nobody.get(path + "/") == product
    changed = shop.admin.patch(path, {"price": "12.5"})
    assert (changed["price"], changed["description"]) == ("12.50", "Oak")
    assert changed["version"] > product["version"]
    replaced = shop.admin.put(path, {"name": "Stool", "price": "8"})
    assert (replaced["name"], replaced["sku"], replaced["attributes"]) == ("Stool", sku, {})
    shop.admin.delete(path)
    shop.nobody.get(path, 404)
    again = {"sku": sku, "name": "Chair", "price": "1.00"}
    assert shop.admin.post("/api/products", again, 409)["code"] == "already_exists"


def test_a_shirt_in_sizes_and_colours(shop):
    """Variants over HTTP: made once, shown with their product, priced, taken away."""
    variants = [{"options": {"Size": "S", "Colour": "red"}, "stock": 2, "weight_g": 180}]
    shirt = shop.product(name="Shirt", stock=0, variants=variants)
    path = f"/api/products/{shirt['id']}"
    medium = {"options": {"Size": "M", "Colour": "red"}, "price": "12.00", "stock": 1}
    made = shop.admin.post(f"{path}/variants", medium, 201)
    assert shop.admin.answer.headers["Location"] == f"/api/variants/{made['id']}"
    assert shop.admin.post(f"{path}/variants", medium, 409)["code"] == "variant_exists"
    shown = shop.nobody.get(path)
    assert [one["price"] for one in shown["variants"]] == ["10.00", "12.00"]
    assert (shown["variants"][1], shown["available"]) == (made, 3)
    assert [one["name"] for one in shown["options"]] == ["Size", "Colour"]
    of_one = f"/api/variants/{made['id']}"
    assert shop.nobody.get(of_one) == made
    shop.admin.patch(of_one, {"weight_g": -1}, 422)
    assert shop.admin.patch(of_one, {"price": None})["price"] == "10.00"
    assert shop.nobody.get(path)["variants"][1]["inherits_price"] is True
    shop.admin.patch(f"/api/inventory/{made['id']}", {"delta": 4, "reason": "found"})
    assert shop.nobody.get(path)["available"] == 7
    shop.admin.delete(of_one)
    shop.nobody.get(of_one, 404)
    last = f"/api/variants/{shown['variants'][0]['id']}"
    assert shop.admin.delete(last, 409)["code"] == "last_variant"


def test_options_are_renamed_over_http(shop):
    """With the tag of their product, and its variants as they were."""
    variants = [{"options": {"Size": "S"}}]
    shirt = shop.product(stock=0, variants=variants)
    (size,) = shirt["options"]
    path = f"/api/products/{shirt['id']}/options/{size['id']}"
    values = [{"id": size["values"][0]["id"], "value": "Small"}, {"value": "Large"}]
    changed = shop.admin.patch(path, {"name": "Fit", "values": values})
    assert changed["variants"][0]["options"] == {"Fit": "Small"}
    assert shop.nobody.get(f"/api/products/{shirt['id']}") == changed
    assert shop.admin.delete(path, 409)["code"] == "option_in_use"
    shop.admin.patch(path, {"values": values[1:]}, 409)


def test_categories_are_a_tree_that_finds_products(shop):
    """A category stands for its descendants; by id and by slug."""
    tag = uuid.uuid4().hex[:8]
    root = shop.admin.post("/api/categories", {"name": f"Furniture {tag}"}, 201)
    child = {"name": f"Chairs {tag}", "parent_id": root["id"]}
    chairs = shop.admin.post("/api/categories", child, 201)
    product = shop.product(category_id=chairs["id"])
    for wanted in (root["id"], root["slug"], chairs["slug"]):
        found = shop.nobody.get(f"/api/products?category={wanted}")["items"]
        assert [one["id"] for one in found] == [product["id"]]
    path = f"/api/categories/{chairs['id']}"
    renamed = shop.admin.put(path, child | {"name": f"Seats {tag}"})
    assert shop.nobody.get(path) == renamed
    assert renamed in shop.nobody.get("/api/categories")["items"]
    leaf = shop.admin.post("/api/categories", {"name": f"Empty {tag}"}, 201)
    shop.admin.delete(f"/api/categories/{leaf['id']}")
    shop.nobody.get(f"/api/categories/{leaf['id']}", 404)


def test_products_are_searched_filtered_sorted_and_paged(shop):
    """All at once, each exactly once."""
    word = f"word{uuid.uuid4().hex[:10]}"
    for price in (5, 1, 4, 2, 3):
        shop.product(name=f"Lamp {word} {price}", price=f"{price}.00", stock=price % 2)
    path = f"/api/products?search={word}&limit=2&sort=-price"
    assert [p["price"] for p in shop.nobody.pages(path)] == ["5.00", "4.00", "3.00", "2.00", "1.00"]
    some = shop.nobody.pages(path + "&min_price=2&max_price=4.00&in_stock=true")
    assert [p["price"] for p in some] == ["3.00"]
    assert "sort" in shop.nobody.get("/api/products?sort=colour", 422)["errors"]
    assert "cursor" in shop.nobody.get("/api/products?cursor=garbage", 422)["errors"]


def test_stock_is_kept_with_its_ledger(shop):
    """Corrected by more and less or to a number, never below what is reserved."""
    staff = shop.employee("staff")
    product = shop.product(stock=10)
    path = f"/api/inventory/{product['id']}"
    shop.order(shop.customer(), product, quantity=4)
    stock = staff.get(path)
    assert (stock["on_hand"], stock["reserved"], stock["available"]) == (10, 4, 6)
    assert staff.patch(path, {"delta": -3, "reason": "broken"})["on_hand"] == 7
    assert staff.patch(path, {"on_hand": 5, "reason": "counted"})["available"] == 1
    for wrong in ({"delta": 1}, {"reason": "x"}, {"delta": 1, "on_hand": 9, "reason": "x"}):
        staff.patch(path, wrong, 422)
    refused = staff.patch(path, {"on_hand": 3, "reason": "counted"}, 409)
    assert refused["code"] == "stock_reserved"
    moved = [(m["kind"], m["delta_on_hand"]) for m in staff.pages(path + "/movements?limit=2")]
    assert moved == [("adjust", -2), ("adjust", -3), ("reserve", 0), ("initial", 10)]


def test_everybody_may_ask_what_is_there(shop):
    """Line by line; what there never was is not available."""
    lines = [
        {"variant_id": shop.product(stock=2)["id"], "quantity": 2},
        {"variant_id": shop.product(stock=2)["id"], "quantity": 3},
        {"variant_id": 2**60, "quantity": 1},
    ]
    answer = shop.nobody.post("/api/inventory/check", {"items": lines})
    assert [line["available"] for line in answer["items"]] == [True, False, False]
