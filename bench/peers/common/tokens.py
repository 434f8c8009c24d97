"""Whom an access token names, as the documentation of PyJWT checks one (`PyJWKSet`, `decode`)."""

import os

import jwt

_KEYS = {key.key_id: key for key in jwt.PyJWKSet.from_json(os.environ["TOKEN_KEYS"]).keys}
_CLAIMS = ["exp", "iss", "aud", "sub", "role"]


def user_id_of(token: str) -> str:
    """The user's id; raises `jwt.InvalidTokenError`."""
    key = _KEYS.get(jwt.get_unverified_header(token).get("kid"))
    if key is None:
        raise jwt.InvalidTokenError("unknown key")
    claims = jwt.decode(
        token,
        key,
        algorithms=["EdDSA"],
        issuer=os.environ["TOKEN_ISSUER"],
        audience=os.environ["TOKEN_AUDIENCE"],
        options={"require": _CLAIMS},
    )
    return claims["sub"]
