"""What the service answers."""

import datetime
import hashlib
import json
from collections import Counter
from decimal import Decimal

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.decorators import api_view
from rest_framework.response import Response

from bench.peers.django_rest.calls import TIMEOUT, session
from bench.peers.django_rest.errors import OutOfStock, UnknownProduct
from bench.peers.django_rest.orders.models import Order, OrderLine, OutboxEvent, TimelineEntry
from bench.peers.django_rest.orders.serializers import CheckoutSerializer, OrderSerializer

PAYMENT_WINDOW = datetime.timedelta(minutes=30)
#: A reservation outlives its order by this.
GRACE = datetime.timedelta(minutes=5)


@api_view()
def ready(request):
    connection.ensure_connection()
    return Response({"ready": True})


@api_view(["POST"])
def place(request):
    serializer = CheckoutSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    order = draft(**serializer.validated_data)
    reserve(order)
    write(order)
    return Response(OrderSerializer(order).data, status=201)


def draft(user_id, items, shipping_address):
    """The order to be, with its lines as `lines`."""
    quantities = Counter()
    for item in items:
        quantities[item["product_id"]] += item["quantity"]
    prices = ask_prices(list(quantities))
    if prices.keys() != quantities.keys():
        raise UnknownProduct
    now = timezone.now()
    request = json.dumps([str(user_id), quantities, shipping_address], sort_keys=True)
    order = Order(
        user_id=user_id,
        currency=next(iter(prices.values()))["currency"],
        shipping_address=shipping_address,
        fingerprint=hashlib.sha256(request.encode()).hexdigest(),
        created_at=now,
        updated_at=now,
        expires_at=now + PAYMENT_WINDOW,
    )
    order.lines = [
        OrderLine(
            order_id=order.id,
            product_id=product_id,
            position=position,
            name=prices[product_id]["name"],
            quantity=quantity,
            unit_price=Decimal(prices[product_id]["price"]),
        )
        for position, (product_id, quantity) in enumerate(quantities.items())
    ]
    order.total = sum(line.line_total for line in order.lines)
    return order


def ask_prices(ids):
    answer = session.get(f"{settings.PRODUCTS_URL}/prices", params={"ids": ids}, timeout=TIMEOUT)
    answer.raise_for_status()
    return {price["id"]: price for price in answer.json()}


def reserve(order):
    reservation = {
        "order_id": str(order.id),
        "items": [
            {"product_id": line.product_id, "quantity": line.quantity} for line in order.lines
        ],
        "expires_at": (order.expires_at + GRACE).isoformat(),
    }
    url = f"{settings.PRODUCTS_URL}/reservations"
    answer = session.post(url, json=reservation, timeout=TIMEOUT)
    if answer.status_code == OutOfStock.status_code:
        raise OutOfStock
    answer.raise_for_status()


@transaction.atomic
def write(order):
    """The order, its lines, its timeline and its event."""
    order.save(force_insert=True)
    OrderLine.objects.bulk_create(order.lines)
    placed = {"total": str(order.total), "currency": order.currency}
    reserved = {"until": order.expires_at.isoformat()}
    entry = {"order_id": order.id, "at": order.created_at}
    TimelineEntry.objects.bulk_create(
        [
            TimelineEntry(**entry, kind="order", cause="placed", actor="customer", detail=placed),
            TimelineEntry(**entry, kind="stock", cause="reserved", actor="system", detail=reserved),
        ]
    )
    OutboxEvent.objects.create(
        source="orders",
        type="order_placed",
        payload={
            "order_id": str(order.id),
            "user_id": str(order.user_id),
            "total": str(order.total),
            "currency": order.currency,
            "version": order.version,
            "cause": "placed",
        },
        occurred_at=order.created_at,
    )
