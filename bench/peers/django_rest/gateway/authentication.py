"""Who asks."""

from types import SimpleNamespace

import jwt
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from bench.peers.common import tokens


class BearerAuthentication(BaseAuthentication):
    """By an access token; `request.user` has nothing but an `id`."""

    def authenticate(self, request):
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer":
            return None
        try:
            user_id = tokens.user_id_of(token)
        except jwt.InvalidTokenError:
            raise AuthenticationFailed("Not an access token.") from None
        return SimpleNamespace(id=user_id, is_authenticated=True), token

    def authenticate_header(self, request):
        return "Bearer"
