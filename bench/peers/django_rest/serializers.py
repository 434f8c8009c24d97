"""Bodies that more than one of the services takes."""

from rest_framework import serializers


class ItemSerializer(serializers.Serializer):
    product_id = serializers.IntegerField(min_value=1)
    quantity = serializers.IntegerField(min_value=1, max_value=1000)


class AddressSerializer(serializers.Serializer):
    line1 = serializers.CharField(max_length=200)
    line2 = serializers.CharField(max_length=200, allow_null=True, default=None)
    city = serializers.CharField(max_length=200)
    region = serializers.CharField(max_length=200, allow_null=True, default=None)
    postal_code = serializers.CharField(max_length=200)
    country = serializers.RegexField(r"^[A-Z]{2}\Z")


class NewOrderSerializer(serializers.Serializer):
    """What a buyer sends."""

    items = ItemSerializer(many=True, allow_empty=False, max_length=100)
    shipping_address = AddressSerializer()
