"""What the gateway answers."""

from django.conf import settings
from rest_framework.decorators import (
    api_view,
    authentication_classes,
    permission_classes,
)
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from bench.peers.django_rest.calls import TIMEOUT, session
from bench.peers.django_rest.gateway.authentication import BearerAuthentication
from bench.peers.django_rest.gateway.serializers import ListQuerySerializer
from bench.peers.django_rest.serializers import NewOrderSerializer


@api_view()
def ping(request, n):
    return passed_on(session.get(f"{settings.PRODUCTS_URL}/ping/{n}", timeout=TIMEOUT))


@api_view()
def get_product(request, product_id):
    return passed_on(session.get(f"{settings.PRODUCTS_URL}/products/{product_id}", timeout=TIMEOUT))


@api_view()
def list_products(request):
    query = ListQuerySerializer(data=request.query_params)
    query.is_valid(raise_exception=True)
    url = f"{settings.PRODUCTS_URL}/products"
    return passed_on(session.get(url, params=query.validated_data, timeout=TIMEOUT))


@api_view(["POST"])
@authentication_classes([BearerAuthentication])
@permission_classes([IsAuthenticated])
def place(request):
    order = NewOrderSerializer(data=request.data)
    order.is_valid(raise_exception=True)
    checkout = {**order.validated_data, "user_id": request.user.id}
    return passed_on(session.post(f"{settings.ORDERS_URL}/orders", json=checkout, timeout=TIMEOUT))


@api_view()
def ready(request):
    for service in (settings.PRODUCTS_URL, settings.ORDERS_URL):
        session.get(f"{service}/readyz", timeout=TIMEOUT).raise_for_status()
    return Response({"ready": True})


def passed_on(answer):
    """What a service has answered; a failure of its own is none of ours."""
    if answer.status_code >= 500:
        answer.raise_for_status()
    return Response(answer.json(), status=answer.status_code)
