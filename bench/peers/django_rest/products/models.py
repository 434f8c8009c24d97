"""The tables of the shop, as far as this service uses them."""

from django.db import models


class Product(models.Model):
    sku = models.TextField()
    name = models.TextField()
    description = models.TextField()
    price = models.DecimalField(max_digits=10, decimal_places=2)
    currency = models.CharField(max_length=3)
    category_id = models.BigIntegerField(null=True)
    images = models.JSONField()
    attributes = models.JSONField()
    version = models.IntegerField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "products"


class Stock(models.Model):
    product = models.OneToOneField(Product, models.DO_NOTHING, primary_key=True)
    on_hand = models.IntegerField()
    reserved = models.IntegerField()
    version = models.IntegerField()

    class Meta:
        managed = False
        db_table = "stock"


class Reservation(models.Model):
    order_id = models.UUIDField(primary_key=True)
    state = models.TextField()
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "reservations"


class ReservationLine(models.Model):
    pk = models.CompositePrimaryKey("order_id", "product_id")
    order_id = models.UUIDField()
    product_id = models.BigIntegerField()
    quantity = models.IntegerField()
    held_until = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "reservation_lines"


class Movement(models.Model):
    product_id = models.BigIntegerField()
    kind = models.TextField()
    delta_on_hand = models.IntegerField()
    delta_reserved = models.IntegerField()
    order_id = models.UUIDField()
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "movements"
