"""Variants of products, and the options that they differ in."""

from chassis.messages import Json
from chassis.web import Request, Response, expected_version, route
from contracts.products.answers import ProductDetail, Variant
from contracts.products.interface import Products
from gateway.access import ADMIN, ANYONE
from gateway.catalog_cache import CatalogCache, of_variant
from gateway.responses import created
from gateway.schemas.common import Conditional, ProductPath, VariantPath
from gateway.schemas.variants import NewVariant, OptionChange, OptionPath, VariantChange


class VariantRoutes:
    """`/api/variants…` and `/api/products/{product_id}/variants`: for everybody to read, for admins
    to write."""

    products: Products
    catalog_cache: CatalogCache

    @route(
        "POST",
        "/api/products/{product_id}/variants",
        who=ADMIN,
        path=ProductPath,
        body=NewVariant,
        answer=Variant,
        status=201,
        etag=True,
        faults=(404, 409),
    )
    def create_variant(self, request: Request, product_id: int, body: Json) -> Response:
        """Add a variant of a product: with a value of each of its options.

        Options and values that the product does not have yet are made on the way. The variant
        without options, which a product begins with, goes when the first with options comes, unless
        there was ever stock of it; then give it its options, too, or delete it.
        """
        variant = self.products.create_variant(product_id=product_id, actor=request.actor, **body)
        self.catalog_cache.forget_product(product_id)
        return created("/api/variants", variant)

    @route(
        "GET",
        "/api/variants/{variant_id}",
        who=ANYONE,
        path=VariantPath,
        answer=Variant,
        etag=True,
        cache_tags=of_variant,
    )
    def get_variant(self, request: Request, variant_id: int) -> Json:
        """One variant of a product."""
        return self.products.get_variant(variant_id=variant_id)

    @route(
        "PATCH",
        "/api/variants/{variant_id}",
        who=ADMIN,
        path=VariantPath,
        body=VariantChange,
        answer=Variant,
        etag=True,
        faults=(409,),
    )
    def change_variant(self, request: Request, variant_id: int, body: Json) -> Json:
        """Change some fields of a variant; its product changes with it."""
        variant = self.products.update_variant(
            variant_id=variant_id,
            version=expected_version(request),
            actor=request.actor,
            **body,
        )
        self.catalog_cache.forget_product(variant["product_id"])
        return variant

    @route(
        "DELETE",
        "/api/variants/{variant_id}",
        who=ADMIN,
        path=VariantPath,
        headers=Conditional,
        status=204,
        faults=(409, 412),
    )
    def delete_variant(self, request: Request, variant_id: int) -> None:
        """Take a variant out of the shop; a product keeps one at least. What orders hold of it
        stays theirs."""
        version = expected_version(request)
        deleted = self.products.delete_variant(
            variant_id=variant_id, version=version, actor=request.actor
        )
        self.catalog_cache.forget_product(deleted["product_id"])

    @route(
        "PATCH",
        "/api/products/{product_id}/options/{option_id}",
        who=ADMIN,
        path=OptionPath,
        body=OptionChange,
        answer=ProductDetail,
        etag=True,
        faults=(409,),
    )
    def change_option(self, request: Request, product_id: int, option_id: int, body: Json) -> Json:
        """Rename an option of a product; rename, add, order or drop its values.

        Variants stay those that they are. A value that one has can't be dropped. The tag is the
        product's.
        """
        product = self.products.update_option(
            product_id=product_id,
            option_id=option_id,
            version=expected_version(request),
            actor=request.actor,
            **body,
        )
        self.catalog_cache.forget_product(product_id)
        return product

    @route(
        "DELETE",
        "/api/products/{product_id}/options/{option_id}",
        who=ADMIN,
        path=OptionPath,
        headers=Conditional,
        status=204,
        faults=(409, 412),
    )
    def delete_option(self, request: Request, product_id: int, option_id: int) -> None:
        """Delete an option of a product that no variant has a value of."""
        version = expected_version(request)
        option = {"product_id": product_id, "option_id": option_id}
        self.products.delete_option(**option, version=version, actor=request.actor)
        self.catalog_cache.forget_product(product_id)
