"""Bodies in and out."""

from rest_framework import serializers

from bench.peers.django_rest.orders.models import Order
from bench.peers.django_rest.serializers import NewOrderSerializer


class CheckoutSerializer(NewOrderSerializer):
    user_id = serializers.UUIDField()


class LineSerializer(serializers.Serializer):
    product_id = serializers.IntegerField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price = serializers.DecimalField(max_digits=10, decimal_places=2)
    line_total = serializers.DecimalField(max_digits=10, decimal_places=2)


class OrderSerializer(serializers.ModelSerializer):
    items = LineSerializer(many=True, source="lines")

    class Meta:
        model = Order
        fields = (
            "id", "user_id", "status", "payment_status", "items", "total", "currency",
            "shipping_address", "created_at", "expires_at", "version",
        )  # fmt: skip
