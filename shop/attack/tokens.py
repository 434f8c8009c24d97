"""Access tokens that are forged, old or somebody else's, and sessions that are over."""

import base64
import datetime
import json
from collections.abc import Iterator
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shop.attack.check import Check, Outcome
from shop.attack.scene import Scene, until

#: Seconds in which an ended session has to be felt everywhere.
FELT = 10
_PROFILE = "/api/users/profile"


def _part(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _forged(token: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a token, and the token."""
    header, claims = (
        jwt.get_unverified_header(token),
        jwt.decode(token, options={"verify_signature": False}),
    )
    signature = token.rpartition(".")[2]
    stranger = Ed25519PrivateKey.generate()

    def signed(changed_claims: dict[str, Any], **changed: Any) -> str:
        headers = {k: v for k, v in (header | changed).items() if k != "alg" and v is not None}
        return jwt.encode(claims | changed_claims, stranger, algorithm="EdDSA", headers=headers)

    for algorithm in ("none", "None", "nOnE", "HS256", "ES256", "RS256", ""):
        yield f"alg {algorithm!r}", f"{_part(header | {'alg': algorithm})}.{_part(claims)}."
        yield (
            f"alg {algorithm!r} with a signature",
            f"{_part(header | {'alg': algorithm})}.{_part(claims)}.{signature}",
        )
    yield "another key", signed({})
    for kid in ("../../etc/passwd", "' OR 1=1 --", "", "0" * 3000, "\x00"):
        yield f"kid {kid[:12]!r}", signed({}, kid=kid)
    yield "its own key in the header", signed({}, jwk={"kty": "OKP", "crv": "Ed25519"})
    yield "a key elsewhere", signed({}, jku="http://127.0.0.1:1/jwks.json")
    yield "no typ", signed({}, typ=None)
    for name, value in {
        "role": "admin", "sub": "00000000-0000-0000-0000-000000000000", "aud": "others",
        "iss": "others",
    }.items():  # fmt: skip
        changed = f"{token.split('.')[0]}.{_part(claims | {name: value})}.{signature}"
        yield f"changed {name} under the true signature", changed
    odd = ["1e400", "-1e400", "NaN", "Infinity", "[]", "{}", "null", "true", '"soon"', "9" * 400]
    for text in odd:
        written = json.dumps(claims).replace(f'"exp": {claims["exp"]}', f'"exp": {text}')
        yield f"exp {text[:12]}", f"{token.split('.')[0]}.{_part(written)}.{signature}"
    yield "cut short", token[:-2]
    yield "two of them", f"{token}.{token}"
    yield "very long", token + "A" * 6000
    yield "not ASCII", token[:-1] + "é"


def _forgeries(scene: Scene, outcome: Outcome) -> None:
    person = scene.stranger.twin()
    for what, token in _forged(scene.admin.token or ""):
        authorization = f"Bearer {token}".encode().decode("latin-1")
        answer = person.call("GET", _PROFILE, headers={"Authorization": authorization})
        outcome.expect(
            answer.status in (400, 401, 431), f"{what}: answered {answer.status or 'nothing'}"
        )
    refresh = scene.stranger.refresh_token
    answer = person.call("GET", _PROFILE, token=refresh)
    outcome.expect(answer.status == 401, f"a refresh token for access: {answer.status}")
    answer = person.call(
        "POST", "/api/users/token/refresh", {"refresh_token": scene.stranger.token}
    )
    outcome.expect(answer.status in (401, 422), f"an access token for a refresh: {answer.status}")
    person.leave()


def _is_over(scene: Scene, token: str | None) -> bool:
    """Whether nobody can change anything with the token any more, within FELT seconds."""
    person = scene.stranger.twin()
    person.token = token
    names = {"first_name": datetime.datetime.now(datetime.UTC).strftime("%H%M%S")}
    over = until(FELT, lambda: person.call("PATCH", _PROFILE, names).status == 401)
    person.leave()
    return over


def _after_logout(scene: Scene, outcome: Outcome) -> None:
    person = scene.customer()
    person.call("POST", "/api/users/logout", {"refresh_token": person.refresh_token})
    outcome.expect(_is_over(scene, person.token), "an access token works after the logout")
    answer = person.call(
        "POST", "/api/users/token/refresh", {"refresh_token": person.refresh_token}
    )
    outcome.expect(answer.status == 401, f"a refresh after the logout: {answer.status}")


def _after_new_password(scene: Scene, outcome: Outcome) -> None:
    person = scene.customer()
    other = person.twin()
    scene.log_in(other)
    new = {"current_password": person.password, "new_password": person.password + "-other"}
    answer = person.call("POST", "/api/users/password", new)
    outcome.expect(answer.status == 204, f"the password could not be changed: {answer.status}")
    for token in (person.token, other.token):
        outcome.expect(_is_over(scene, token), "an access token works after a change of password")


def _after_deletion(scene: Scene, outcome: Outcome) -> None:
    person = scene.customer()
    answer = scene.admin.call("DELETE", f"/api/users/{person.user_id}")
    outcome.expect(answer.status == 204, f"the user could not be deleted: {answer.status}")
    outcome.expect(_is_over(scene, person.token), "a deleted user's access token works")


def _after_theft(scene: Scene, outcome: Outcome) -> None:
    """A refresh token that is used again after its grace gives the theft away."""
    person = scene.customer()
    stolen = {"refresh_token": person.refresh_token}
    tokens = person.call("POST", "/api/users/token/refresh", stolen).body
    newer = person.call(
        "POST", "/api/users/token/refresh", {"refresh_token": tokens["refresh_token"]}
    ).body
    # The one before last has no grace.
    answer = person.call("POST", "/api/users/token/refresh", stolen)
    outcome.expect(answer.status == 401, f"a used refresh token: {answer.status}")
    last = {"refresh_token": newer["refresh_token"]}
    answer = person.call("POST", "/api/users/token/refresh", last)
    outcome.expect(answer.status == 401, f"the family of a stolen refresh token: {answer.status}")
    outcome.expect(
        _is_over(scene, newer["access_token"]), "an access token works after a detected theft"
    )


CHECKS = [
    Check("tokens", "forged and misused", "nobody gets in", _forgeries),
    Check("tokens", "after a logout", "the session is over", _after_logout),
    Check("tokens", "after a new password", "the session is over", _after_new_password),
    Check("tokens", "after a deletion", "the session is over", _after_deletion),
    Check("tokens", "after a detected theft", "the session is over", _after_theft),
]
