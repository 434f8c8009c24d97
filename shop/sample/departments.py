"""The sample catalog, as `data/*.yaml` tells it: one file a department, a tree each."""

from collections.abc import Iterator
from dataclasses import dataclass
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
    sku = entry["sku"]
    images = [f"{_IMAGES}/{sku.lower()}-{number}.jpg" for number in (1, 2)]
    return Product(sku, category.slug, entry | {"images": images})
