"""The catalog: products and categories."""

from chassis.messages import Json
from chassis.rpc import RpcProxy
from chassis.web import Request, Response, expected_version, route
from contracts.products.answers import Category, ProductDetail, ProductPage
from contracts.products.interface import Products
from gateway.access import ADMIN, ANYONE
from gateway.catalog_cache import CatalogCache, of_categories, of_product, of_products
from gateway.responses import created
from gateway.schemas.common import Conditional, ProductPath
from gateway.schemas.products import (
    CategoryPage,
    CategoryPath,
    NewProduct,
    ProductChange,
    ProductQuery,
    WholeCategory,
    WholeProduct,
)


class ProductRoutes:
    """`/api/products…`: for everybody to read, for admins to write."""

    products: Products = RpcProxy("products", timeout=5)
    catalog_cache: CatalogCache

    @route(
        "GET",
        "/api/products",
        who=ANYONE,
        query=ProductQuery,
        answer=ProductPage,
        cache_tags=of_products,
    )
    def list_products(self, request: Request, query: Json) -> Json:
        """List products: search, filter and sort them.

        `search` means all of its words, in any order and script, with or without accents, hyphens
        and plurals; parts of an SKU too. Eight words at most are looked for. Typing errors are
        forgiven when nothing has the words as they are typed.

        Prices of several currencies are not compared. By `price` those of each currency come
        together. `min_price` and `max_price` are in `currency`; without it in that of the catalog,
        or in the shop's own when the catalog has several, and find nothing of others.
        """
        return self.products.list(**query)

    @route(
        "POST",
        "/api/products",
        who=ADMIN,
        body=NewProduct,
        answer=ProductDetail,
        status=201,
        etag=True,
        faults=(409,),
    )
    def create_product(self, request: Request, body: Json) -> Response:
        """Add a product: with `variants`, each with a value of every option, or as the one that it
        is. `options` only says in which order options and values are shown."""
        product = self.products.create(actor=request.actor, **body)
        self.catalog_cache.forget_product(product["id"])
        return created("/api/products", product)

    @route(
        "GET",
        "/api/products/{product_id}",
        who=ANYONE,
        path=ProductPath,
        answer=ProductDetail,
        etag=True,
        cache_tags=of_product,
    )
    def get_product(self, request: Request, product_id: int) -> Json:
        """One product, with its options and variants."""
        return self.products.get(product_id=product_id)

    @route(
        "PUT",
        "/api/products/{product_id}",
        who=ADMIN,
        path=ProductPath,
        body=WholeProduct,
        answer=ProductDetail,
        etag=True,
        faults=(409,),
    )
    def replace_product(self, request: Request, product_id: int, body: Json) -> Json:
        """Replace a product: what is not given is emptied."""
        product = self.products.update(
            product_id=product_id,
            version=expected_version(request),
            actor=request.actor,
            **body,
        )
        self.catalog_cache.forget_product(product_id)
        return product

    @route(
        "PATCH",
        "/api/products/{product_id}",
        who=ADMIN,
        path=ProductPath,
        body=ProductChange,
        answer=ProductDetail,
        etag=True,
        faults=(409,),
    )
    def change_product(self, request: Request, product_id: int, body: Json) -> Json:
        """Change some fields of a product."""
        product = self.products.update(
            product_id=product_id,
            version=expected_version(request),
            actor=request.actor,
            **body,
        )
        self.catalog_cache.forget_product(product_id)
        return product

    @route(
        "DELETE",
        "/api/products/{product_id}",
        who=ADMIN,
        path=ProductPath,
        headers=Conditional,
        status=204,
        faults=(412,),
    )
    def delete_product(self, request: Request, product_id: int) -> None:
        """Take a product out of the shop; its SKU stays taken."""
        version = expected_version(request)
        self.products.delete(product_id=product_id, version=version, actor=request.actor)
        self.catalog_cache.forget_product(product_id)


class CategoryRoutes:
    """`/api/categories…`: a tree."""

    products: Products
    catalog_cache: CatalogCache

    @route("GET", "/api/categories", who=ANYONE, answer=CategoryPage, cache_tags=of_categories)
    def list_categories(self, request: Request) -> Json:
        """All categories, on one page."""
        return {"next": None} | self.products.list_categories()

    @route(
        "POST",
        "/api/categories",
        who=ADMIN,
        body=WholeCategory,
        answer=Category,
        status=201,
        etag=True,
        faults=(409,),
    )
    def create_category(self, request: Request, body: Json) -> Response:
        """Add a category."""
        category = self.products.create_category(actor=request.actor, **body)
        self.catalog_cache.forget_categories()
        return created("/api/categories", category)

    @route(
        "GET",
        "/api/categories/{category_id}",
        who=ANYONE,
        path=CategoryPath,
        answer=Category,
        etag=True,
        cache_tags=of_categories,
    )
    def get_category(self, request: Request, category_id: int) -> Json:
        """One category."""
        return self.products.get_category(category_id=category_id)

    @route(
        "PUT",
        "/api/categories/{category_id}",
        who=ADMIN,
        path=CategoryPath,
        body=WholeCategory,
        answer=Category,
        etag=True,
        faults=(409,),
    )
    def replace_category(self, request: Request, category_id: int, body: Json) -> Json:
        """Replace a category; without a slug it keeps its own."""
        category = self.products.update_category(
            category_id=category_id,
            version=expected_version(request),
            actor=request.actor,
            **body,
        )
        self.catalog_cache.forget_categories()
        return category

    @route(
        "DELETE",
        "/api/categories/{category_id}",
        who=ADMIN,
        path=CategoryPath,
        headers=Conditional,
        status=204,
        faults=(409, 412),
    )
    def delete_category(self, request: Request, category_id: int) -> None:
        """Delete a category that has no products or categories below it."""
        version = expected_version(request)
        self.products.delete_category(category_id=category_id, version=version, actor=request.actor)
        self.catalog_cache.forget_categories()
