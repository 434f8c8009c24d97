"""The public door."""

import json

import jwt
from marshmallow import ValidationError
from nameko.exceptions import RemoteError, UnknownService
from nameko.rpc import RpcProxy
from nameko.web.handlers import HttpRequestHandler
from werkzeug.wrappers import Response

from bench.peers.common import tokens
from bench.peers.stock_nameko import schemas
from bench.peers.stock_nameko.exceptions import NotFound, OutOfStock, UnknownProduct

STATUS = {
    jwt.InvalidTokenError: 401,
    NotFound: 404,
    OutOfStock: 409,
    json.JSONDecodeError: 400,
    ValidationError: 422,
    UnknownProduct: 422,
    RemoteError: 503,
    UnknownService: 503,
}


class JsonHandler(HttpRequestHandler):
    """HTTP in JSON, with errors as statuses."""

    def response_from_exception(self, exc):
        for kind, status in STATUS.items():
            if isinstance(exc, kind):
                detail = exc.messages if kind is ValidationError else str(exc)
                return _json({"detail": detail}, status)
        return super().response_from_exception(exc)


http = JsonHandler.decorator
_REFUSALS = {"expected_exceptions": tuple(STATUS)}


class GatewayService:
    name = "gateway"

    products = RpcProxy("products")
    orders = RpcProxy("orders")

    @http("GET", "/ping/<int:n>", **_REFUSALS)
    def ping(self, request, n):
        return _json({"n": self.products.ping(n)})

    @http("GET", "/api/products", **_REFUSALS)
    def list_products(self, request):
        query = schemas.ListQuery().load(request.args.to_dict())
        return _json(self.products.list(**query))

    @http("GET", "/api/products/<int:product_id>", **_REFUSALS)
    def get_product(self, request, product_id):
        return _json(self.products.get(product_id))

    @http("POST", "/api/orders", **_REFUSALS)
    def place(self, request):
        user_id = tokens.user_id_of(
            request.headers.get("Authorization", "").removeprefix("Bearer ")
        )
        order = schemas.NewOrder().load(json.loads(request.get_data(as_text=True)))
        return _json(self.orders.place(user_id, **order), 201)

    @http("GET", "/readyz", **_REFUSALS)
    def ready(self, request):
        self.products.ready()
        self.orders.ready()
        return _json({"ready": True})


def _json(body, status=200):
    return Response(json.dumps(body), status=status, mimetype="application/json")
