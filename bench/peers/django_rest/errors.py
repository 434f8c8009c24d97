"""What the services refuse, as HTTP."""

import requests
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler


class OutOfStock(APIException):
    status_code = 409
    default_detail = "Out of stock."


class UnknownProduct(APIException):
    status_code = 422
    default_detail = "There is no such product."


def handle(error, context):
    """What the framework makes of it, but 422 for fields and 503 for a service that is away."""
    if isinstance(error, requests.RequestException):
        return Response({"detail": "A service is away."}, status=503)
    response = exception_handler(error, context)
    if isinstance(error, ValidationError):
        response.status_code = 422
    return response
