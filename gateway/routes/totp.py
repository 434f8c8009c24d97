"""The second factor: codes of an authenticator app (RFC 6238)."""

from chassis.messages import Json
from chassis.web import Request, route
from chassis.web.limits import SIGN_IN
from contracts.users.answers import NewRecoveryCodes, Tokens, TotpSecret, TotpState
from contracts.users.interface import Users
from gateway.access import ANYONE, ENROLLING, USER
from gateway.schemas.totp import LoginTotp, TotpConfirmation, TotpEnrolment, TotpProof


class TotpRoutes:
    """`/api/users/totp…` and `/api/users/login/totp`."""

    users: Users

    @route(
        "POST",
        "/api/users/login/totp",
        who=ANYONE,
        body=LoginTotp,
        answer=Tokens,
        limit=SIGN_IN,
        faults=(401,),
    )
    def log_in_with_totp(self, request: Request, body: Json) -> Json:
        """Sign in, second step: get tokens for a challenge and a code.

        A recovery code does as well. Each code holds once; the challenge, for five minutes.
        """
        user_agent = (request.header("User-Agent") or "")[:512]
        network = request.client_network
        return self.users.login_totp(network=network, user_agent=user_agent, **body)

    @route("GET", "/api/users/totp", who=ENROLLING, answer=TotpState, faults=(404,))
    def get_totp(self, request: Request) -> Json:
        """Whether you have a second factor, and whether you must."""
        return self.users.get_totp(user_id=request.actor.user_id)

    @route(
        "POST",
        "/api/users/totp",
        who=ENROLLING,
        body=TotpEnrolment,
        answer=TotpSecret,
        limit=SIGN_IN,
        faults=(404, 409),
    )
    def enrol_totp(self, request: Request, body: Json) -> Json:
        """Get a secret for your authenticator app; it takes effect when you confirm it."""
        return self.users.enrol_totp(user_id=request.actor.user_id, **body)

    @route(
        "POST",
        "/api/users/totp/confirm",
        who=ENROLLING,
        body=TotpConfirmation,
        answer=NewRecoveryCodes,
        limit=SIGN_IN,
        faults=(404, 409),
    )
    def confirm_totp(self, request: Request, body: Json) -> Json:
        """Turn on the second factor with a first code.

        The recovery codes are told here and never again; each stands in for a code, once.
        """
        user_id, network = request.actor.user_id, request.client_network
        return self.users.confirm_totp(user_id=user_id, network=network, **body)

    @route(
        "POST",
        "/api/users/totp/disable",
        who=USER,
        body=TotpProof,
        status=204,
        limit=SIGN_IN,
        faults=(404, 409),
    )
    def disable_totp(self, request: Request, body: Json) -> None:
        """Turn off the second factor."""
        user_id, network = request.actor.user_id, request.client_network
        self.users.disable_totp(user_id=user_id, network=network, **body)

    @route(
        "POST",
        "/api/users/totp/recovery-codes",
        who=USER,
        body=TotpProof,
        answer=NewRecoveryCodes,
        limit=SIGN_IN,
        faults=(404, 409),
    )
    def renew_recovery_codes(self, request: Request, body: Json) -> Json:
        """Get new recovery codes; those that you had before work no longer.

        They are told here and never again. `code` may be one of those before, if any is left.
        """
        user_id, network = request.actor.user_id, request.client_network
        return self.users.renew_recovery_codes(user_id=user_id, network=network, **body)
