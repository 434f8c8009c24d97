"""Bodies in and out, as the documentation of FastAPI and FastStream has them: Pydantic models."""

import datetime
import uuid
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[int, Field(strict=True, ge=1, lt=2**63)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Product(BaseModel):
    id: int
    sku: str
    name: str
    description: str
    price: Decimal
    currency: str
    category_id: int | None
    images: list[str]
    attributes: dict[str, Any]
    available: int
    created_at: datetime.datetime
    updated_at: datetime.datetime
    version: int


class Page(BaseModel):
    items: list[Product]
    next: str | None


class Price(BaseModel):
    """What an order takes over of a product."""

    id: int
    name: str
    price: Decimal
    currency: str


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")

    product_id: Id
    quantity: Annotated[int, Field(strict=True, ge=1, le=1000)]


class Address(BaseModel):
    model_config = ConfigDict(extra="forbid")

    line1: Text
    line2: Text | None = None
    city: Text
    region: Text | None = None
    postal_code: Text
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class NewOrder(BaseModel):
    """What a buyer sends."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[Item], Field(min_length=1, max_length=100)]
    shipping_address: Address


class Checkout(NewOrder):
    """The same, with the buyer whom the gateway has recognised."""

    user_id: uuid.UUID


class Reservation(BaseModel):
    """What is to be held for an order, and how long."""

    order_id: uuid.UUID
    items: list[Item]
    expires_at: datetime.datetime


class Line(BaseModel):
    product_id: int
    name: str
    quantity: int
    unit_price: Decimal
    line_total: Decimal


class Order(BaseModel):
    id: uuid.UUID
    user_id: uuid.UUID
    status: str
    payment_status: str
    items: list[Line]
    total: Decimal
    currency: str
    shipping_address: Address
    created_at: datetime.datetime
    expires_at: datetime.datetime
    version: int
