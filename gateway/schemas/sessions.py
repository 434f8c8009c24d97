"""Sessions, and when somebody has signed in."""

from chassis.fields import Request, Uuid
from contracts.users import requests
from gateway.schemas.derive import query

SignInQuery = query("SignInQuery", requests.ListSignIns, without=("user_id",))


class SessionPath(Request):
    session_id = Uuid(required=True)
