"""What the service answers."""

from django.db import connection, transaction
from django.db.models import F
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework.decorators import api_view
from rest_framework.response import Response

from bench.peers.common import sql
from bench.peers.django_rest.errors import OutOfStock
from bench.peers.django_rest.products.models import (
    Movement,
    Product,
    Reservation,
    ReservationLine,
    Stock,
)
from bench.peers.django_rest.products.serializers import (
    PriceSerializer,
    ProductSerializer,
    ReservationSerializer,
)

SEARCHES = [sql.search(tier, "%(query)s", "%(rows)s") for tier in sql.TIERS]
IS_NAMED = sql.IS_NAMED.format(whole="%s")


@api_view()
def ping(request, n):
    return Response({"n": n})


@api_view()
def ready(request):
    connection.ensure_connection()
    return Response({"ready": True})


def on_sale():
    available = F("stock__on_hand") - F("stock__reserved")
    return Product.objects.filter(deleted_at=None).annotate(available=available)


@api_view()
def get_product(request, product_id):
    return Response(ProductSerializer(get_object_or_404(on_sale(), id=product_id)).data)


@api_view()
def list_products(request):
    limit, search = int(request.query_params["limit"]), request.query_params.get("search")
    if search is None:
        found = list(on_sale().order_by("-created_at", "-id")[: limit + 1])
    else:
        found = find(search, limit + 1)
    shown = found[:limit]
    following = sql.following([vars(one) for one in shown]) if found[limit:] else None
    return Response({"items": ProductSerializer(shown, many=True).data, "next": following})


def find(search, limit):
    found, query = [], sql.all_words(search)
    with connection.cursor() as cursor:
        cursor.execute(IS_NAMED, [sql.whole_name(search)])
        cursor.fetchone()
    for statement in SEARCHES:
        values = {"query": query, "rows": limit - len(found)}
        found += Product.objects.raw(statement, values)
        if len(found) == limit:
            break
    return found


@api_view()
def get_prices(request):
    products = Product.objects.filter(id__in=request.query_params.getlist("ids"), deleted_at=None)
    return Response(PriceSerializer(products, many=True).data)


@api_view(["POST"])
def reserve(request):
    serializer = ReservationSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    hold(**serializer.validated_data)
    return Response(status=204)


@transaction.atomic
def hold(order_id, items, expires_at):
    now = timezone.now()
    stock = lock([item["product_id"] for item in items])
    for item in items:
        row = stock.get(item["product_id"])
        if row is None or row.on_hand - row.reserved < item["quantity"]:
            raise OutOfStock
        row.reserved += item["quantity"]
        row.version += 1
    Stock.objects.bulk_update(stock.values(), ["reserved", "version"])
    Reservation.objects.create(
        order_id=order_id, state="reserved", expires_at=expires_at, created_at=now, updated_at=now
    )
    ReservationLine.objects.bulk_create(
        ReservationLine(order_id=order_id, held_until=expires_at, **item) for item in items
    )
    Movement.objects.bulk_create(
        Movement(
            product_id=item["product_id"],
            kind="reserve",
            delta_on_hand=0,
            delta_reserved=item["quantity"],
            order_id=order_id,
            reason="order placed",
            at=now,
        )
        for item in items
    )


def lock(ids):
    rows = Stock.objects.select_for_update(of=("self",), no_key=True)
    rows = rows.filter(product_id__in=ids, product__deleted_at=None).order_by("product_id")
    return {row.product_id: row for row in rows}
