"""The tables of the shop, as far as this service uses them."""

import uuid

from django.db import models


class Order(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user_id = models.UUIDField()
    status = models.TextField(default="pending")
    payment_status = models.TextField(default="unpaid")
    total = models.DecimalField(max_digits=10, decimal_places=2)
    currency = models.TextField()
    shipping_address = models.JSONField()
    fingerprint = models.TextField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    version = models.BigIntegerField(default=1)

    class Meta:
        managed = False
        db_table = "orders"


class OrderLine(models.Model):
    pk = models.CompositePrimaryKey("order_id", "product_id")
    order_id = models.UUIDField()
    product_id = models.BigIntegerField()
    position = models.BigIntegerField()
    name = models.TextField()
    quantity = models.BigIntegerField()
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        managed = False
        db_table = "order_lines"

    @property
    def line_total(self):
        return self.unit_price * self.quantity


class TimelineEntry(models.Model):
    order_id = models.UUIDField()
    at = models.DateTimeField()
    kind = models.TextField()
    cause = models.TextField()
    actor = models.TextField()
    detail = models.JSONField()

    class Meta:
        managed = False
        db_table = "timeline"


class OutboxEvent(models.Model):
    event_id = models.UUIDField(default=uuid.uuid4)
    source = models.TextField()
    type = models.TextField()
    payload = models.JSONField()
    headers = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "outbox"
