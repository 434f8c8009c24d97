"""Bodies in and out."""

from rest_framework import serializers

from bench.peers.django_rest.products.models import Product
from bench.peers.django_rest.serializers import ItemSerializer


class ProductSerializer(serializers.ModelSerializer):
    available = serializers.IntegerField()

    class Meta:
        model = Product
        fields = (
            "id", "sku", "name", "description", "price", "currency", "category_id", "images",
            "attributes", "available", "created_at", "updated_at", "version",
        )  # fmt: skip


class PriceSerializer(serializers.ModelSerializer):
    class Meta:
        model = Product
        fields = ("id", "name", "price", "currency")


class ReservationSerializer(serializers.Serializer):
    order_id = serializers.UUIDField()
    items = ItemSerializer(many=True)
    expires_at = serializers.DateTimeField()
