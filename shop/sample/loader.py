"""Brings the sample data into a running shop.

Only what is missing is created, and nothing that is there is changed: a second call looks and
leaves. It asks as any stock Nameko client would.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from nameko.exceptions import RemoteError
from nameko.standalone.rpc import ClusterRpcProxy

from shop.operate.broker import stock_settings
from shop.operate.calls import SYSTEM
from shop.sample import departments, locations, shipping, taxes
from shop.sample.departments import Category, Product

#: Seconds for one call. The services have just started when this runs.
TIMEOUT = 30

#: So many SKUs are asked for in one call (products takes 200), so many calls are under way at once.
AT_ONCE_ASKED, AT_ONCE_CREATED = 200, 16

PASSWORD = "demo-Passw0rd"  # noqa: S105  (meant to be known)

ACCOUNTS = (
    {"email": "admin@example.com", "role": "admin", "first_name": "Ada", "last_name": "Marlow"},
    {"email": "staff@example.com", "role": "staff", "first_name": "Sam", "last_name": "Okafor"},
    {
        "email": "customer@example.com",
        "role": "customer",
        "first_name": "Clara",
        "last_name": "Lindqvist",
        "address": {
            "line1": "Hafenweg 7",
            "city": "Hamburg",
            "postal_code": "20457",
            "country": "DE",
        },
    },
)

_T = TypeVar("_T")


def load(config: dict[str, Any], progress: Callable[[str], Any], *, accounts: bool = False) -> None:
    """Create what is missing of the sample catalog, of how it is taxed and shipped, of where it
    lies, and of the demo accounts if `accounts`.

    The accounts' password is public: `users` makes them in a demo only (its setting
    `sample_accounts`), which is where nobody else can sign in. `config`
    names the broker (`AMQP_URI`), `progress` gets a line for each step that takes a while. Raises
    Nameko's errors when a service is away; what was created until then stays, and is found by the
    next call.
    """
    with ClusterRpcProxy(stock_settings(config["AMQP_URI"]), timeout=TIMEOUT) as rpc:
        taxes.load(rpc.orders, progress)
        shipping.load(rpc.orders, progress)
        locations.load(rpc.inventory, progress)
        _load_catalog(rpc.products, rpc.inventory, progress)
        if accounts:
            _load_accounts(rpc.users, progress)


def _load_catalog(service: Any, inventory: Any, progress: Callable[[str], Any]) -> None:
    categories, products = departments.read()
    missing = _missing(service, products)
    if not missing:
        return
    ids = _create_categories(service, categories, {product.category for product in missing})
    done = 0
    for batch in _batches(missing, AT_ONCE_CREATED):
        calls = [
            service.create.call_async(
                **product.fields, category_id=ids[product.category], actor=SYSTEM
            )
            for product in batch
        ]
        locations.spread(inventory, filter(None, [_created(call.result) for call in calls]))
        done += len(batch)
        if done == len(missing) or done % (4 * AT_ONCE_CREATED) == 0:
            progress(f"sample data: {done} of {len(missing)} products")


def _missing(service: Any, products: Sequence[Product]) -> list[Product]:
    known = {
        item["sku"]
        for batch in _batches(products, AT_ONCE_ASKED)
        for item in service.get_many(skus=[product.sku for product in batch])["items"]
    }
    return [product for product in products if product.sku not in known]


def _create_categories(
    service: Any, categories: Sequence[Category], wanted: set[str]
) -> dict[str, int]:
    """Ids by slug; creates the `wanted` ones that are missing, and those above them."""
    by_slug = {category.slug: category for category in categories}
    ids = {item["slug"]: item["id"] for item in service.list_categories()["items"]}

    def ensure(slug: str) -> int:
        if slug not in ids:
            category = by_slug[slug]
            parent_id = category.parent and ensure(category.parent)
            made = service.create_category(
                actor=SYSTEM,
                name=category.name,
                slug=slug,
                description=category.description,
                parent_id=parent_id,
            )
            ids[slug] = made["id"]
        return ids[slug]

    for category in categories:
        if category.slug in wanted:
            ensure(category.slug)
    return ids


def _load_accounts(service: Any, progress: Callable[[str], Any]) -> None:
    for account in ACCOUNTS:
        email = account["email"]
        known = service.list(search=email, actor=SYSTEM)["items"]
        if any(user["email"] == email for user in known):
            continue
        if _created(partial(_create, service, account)):
            progress(f"sample data: account {email}, password {PASSWORD}")


def _create(service: Any, account: dict[str, Any]) -> Any:
    return service.create(password=PASSWORD, email_verified=True, actor=SYSTEM, **account)


def _created(create: Callable[[], Any]) -> Any:
    """What is new, else None. What somebody has deleted stays so: its SKU is taken for ever."""
    try:
        return create()
    except RemoteError as error:
        if error.exc_type != "AlreadyExists":
            raise
        return None


def _batches(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
