"""Questions to the lists."""

from rest_framework import serializers


class ListQuerySerializer(serializers.Serializer):
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20)
    search = serializers.CharField(max_length=200, required=False)
