"""The sample catalog, as `data/*.yaml` tells it: one file a department, a tree each."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parent / "data"

#: The C parser takes a tenth of the time; a PyYAML without it does as well.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_IMAGES = "https://images.example.com/products"


@dataclass(frozen=True)
class Category:
    """`parent` is the slug of the category above, None for a department."""

    slug: str
    name: str
    description: str
    parent: str | None


@dataclass(frozen=True)
class Product:
    """`category` is a slug, `fields` the rest of what products.create takes."""

    sku: str
    category: str
    fields: dict[str, Any]


def read() -> tuple[list[Category], list[Product]]:
    """All categories, parents first, and all products."""
    categories: list[Category] = []
    products: list[Product] = []
    for path in sorted(_FOLDER.glob("*.yaml")):
        with path.open(encoding="utf-8") as file:
            department = yaml.load(file, Loader=_Loader)  # noqa: S506  (safe, see above)
        for category, branch in _walk(department, None):
            categories.append(category)
            products += [_product(category, entry) for entry in branch.get("products", ())]
    return categories, products


def _walk(branch: dict[str, Any], parent: str | None) -> Iterator[tuple[Category, dict[str, Any]]]:
    yield Category(branch["slug"], branch["name"], branch["description"], parent), branch
    for child in branch.get("categories", ()):
        yield from _walk(child, branch["slug"])


def _product(category: Category, entry: dict[str, Any]) -> Product:
    sku, options = entry["sku"], entry.get("options", {})
    images = [f"{_IMAGES}/{sku.lower()}-{number}.jpg" for number in (1, 2)]
    fields = {name: value for name, value in entry.items() if name != "stock"} | {
        "images": images,
        "options": [{"name": name, "values": values} for name, values in options.items()],
        "variants": _variants(entry, options),
    }
    return Product(sku, category.slug, fields)


def _variants(entry: dict[str, Any], options: dict[str, list[str]]) -> list[dict[str, Any]]:
    """One for each combination of values, among which the stock is divided; or the one that a
    product without options has."""
    weight = {"weight_g": entry["attributes"].get("weight_g", 0)}
    kinds = list(product(*options.values()))
    each, more = divmod(entry["stock"], len(kinds))
    variants = [weight | {"stock": each + (place < more)} for place in range(len(kinds))]
    if options:
        for variant, values in zip(variants, kinds, strict=True):
            variant["options"] = dict(zip(options, values, strict=True))
            variant["sku"] = "-".join([entry["sku"], *values]).upper().replace(" ", "-")
    return variants
