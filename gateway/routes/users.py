"""Sign-up, sessions, profile, addresses, and the administration of users."""

from uuid import UUID

from chassis.errors import Unauthenticated
from chassis.messages import Json
from chassis.rpc import RpcProxy
from chassis.web import Request, Response, expected_version, route
from chassis.web.limits import SIGN_IN
from contracts.users.answers import Address, AddressPage, JsonWebKeys, Tokens, User, UserPage
from contracts.users.interface import Users
from contracts.users.requests import AddressReplacement, NewAddress
from gateway.access import ADMIN, ANYONE, ENROLLING, STAFF, USER
from gateway.responses import created
from gateway.schemas.common import UserPath
from gateway.schemas.users import (
    Account,
    AddressPath,
    EmailConfirmation,
    Login,
    NewAccount,
    PasswordChange,
    PasswordForgotten,
    PasswordReset,
    Profile,
    RefreshToken,
    SignUp,
    UserQuery,
)
from gateway.sessions import SessionStates


class UserRoutes:
    """`/api/users…`: one's own account, without having to name it."""

    users: Users = RpcProxy("users", timeout=8)
    sessions: SessionStates

    @route(
        "POST",
        "/api/users/signup",
        who=ANYONE,
        body=SignUp,
        answer=User,
        status=201,
        limit=SIGN_IN,
        faults=(409,),
    )
    def sign_up(self, request: Request, body: Json) -> Json:
        """Create an account for yourself."""
        return self.users.sign_up(network=request.client_network, **body)

    @route(
        "POST",
        "/api/users/login",
        who=ANYONE,
        body=Login,
        answer=Tokens,
        limit=SIGN_IN,
        faults=(401,),
    )
    def log_in(self, request: Request, body: Json) -> Json:
        """Sign in: get tokens for an e-mail address or user name, and a password.

        Who has a second factor gets a 401 with the code `totp_required` and a `challenge`, which
        goes to `/api/users/login/totp` together with a code.
        """
        user_agent = (request.header("User-Agent") or "")[:512]
        return self.users.login(network=request.client_network, user_agent=user_agent, **body)

    @route(
        "POST",
        "/api/users/token/refresh",
        who=ANYONE,
        body=RefreshToken,
        answer=Tokens,
        faults=(401,),
    )
    def refresh_tokens(self, request: Request, body: Json) -> Json:
        """Get new tokens for a refresh token. One that was used before ends the session."""
        try:
            return self.users.refresh(network=request.client_network, **body)
        except Unauthenticated as fault:
            self.sessions.note_ended({"ended": fault.data.pop("ended", ())})
            raise

    @route("POST", "/api/users/logout", who=ANYONE, body=RefreshToken, status=204)
    def log_out(self, request: Request, body: Json) -> None:
        """Sign out: end the session of a refresh token, and its access tokens."""
        self.sessions.note_ended(self.users.logout(network=request.client_network, **body))

    @route("GET", "/api/users/profile", who=ENROLLING, answer=User, etag=True, faults=(404,))
    def get_profile(self, request: Request) -> Json:
        """Your own account."""
        return self.users.get(user_id=request.actor.user_id)

    @route(
        "PUT",
        "/api/users/profile",
        who=USER,
        body=Profile,
        answer=User,
        etag=True,
        faults=(404, 409),
    )
    def replace_profile(self, request: Request, body: Json) -> Json:
        """Replace your profile: what is not given is emptied."""
        return _change_user(self.users, request, request.actor.user_id, body, partial=False)

    @route(
        "PATCH",
        "/api/users/profile",
        who=USER,
        body=Profile,
        answer=User,
        etag=True,
        faults=(404, 409),
    )
    def change_profile(self, request: Request, body: Json) -> Json:
        """Change some of your profile."""
        return _change_user(self.users, request, request.actor.user_id, body, partial=True)

    @route(
        "POST",
        "/api/users/password",
        who=USER,
        body=PasswordChange,
        status=204,
        limit=SIGN_IN,
        faults=(404,),
    )
    def change_password(self, request: Request, body: Json) -> None:
        """Change your password; all your sessions end."""
        user_id, network = request.actor.user_id, request.client_network
        answer = self.users.change_password(user_id=user_id, network=network, **body)
        self.sessions.note_ended(answer)

    @route(
        "POST",
        "/api/users/password/forgot",
        who=ANYONE,
        body=PasswordForgotten,
        status=202,
        limit=SIGN_IN,
    )
    def forgot_password(self, request: Request, body: Json) -> None:
        """Ask for a mail with a token to reset a forgotten password."""
        self.users.forgot_password(network=request.client_network, **body)

    @route(
        "POST",
        "/api/users/password/reset",
        who=ANYONE,
        body=PasswordReset,
        status=204,
        limit=SIGN_IN,
    )
    def reset_password(self, request: Request, body: Json) -> None:
        """Set a new password with the token from the mail; all sessions end."""
        answer = self.users.reset_password(network=request.client_network, **body)
        self.sessions.note_ended(answer)

    @route(
        "POST",
        "/api/users/email/verify",
        who=ANYONE,
        body=EmailConfirmation,
        status=204,
        limit=SIGN_IN,
        faults=(409,),
    )
    def verify_email(self, request: Request, body: Json) -> None:
        """Confirm an e-mail address with the token from the mail."""
        self.users.verify_email(network=request.client_network, **body)

    @route(
        "POST",
        "/api/users/email/verification",
        who=USER,
        status=202,
        limit=SIGN_IN,
        faults=(404, 409),
    )
    def request_email_verification(self, request: Request) -> None:
        """Ask for another mail to confirm your e-mail address."""
        self.users.request_email_verification(user_id=request.actor.user_id)

    @route("GET", "/.well-known/jwks.json", who=ANYONE, answer=JsonWebKeys)
    def get_keys(self, request: Request) -> Response:
        """The public keys with which access tokens are signed."""
        headers = {"Cache-Control": "public, max-age=60"}
        return Response(self.users.jwks(), headers=headers)


class AddressRoutes:
    """`/api/users/addresses…`: one's own address book."""

    users: Users

    @route("GET", "/api/users/addresses", who=USER, answer=AddressPage)
    def list_addresses(self, request: Request) -> Json:
        """Your addresses."""
        return self.users.list_addresses(user_id=request.actor.user_id)

    @route(
        "POST",
        "/api/users/addresses",
        who=USER,
        body=NewAddress,
        answer=Address,
        status=201,
        faults=(404, 409),
    )
    def add_address(self, request: Request, body: Json) -> Response:
        """Add an address to your address book."""
        address = self.users.add_address(user_id=request.actor.user_id, **body)
        return created("/api/users/addresses", address)

    @route(
        "GET",
        "/api/users/addresses/{address_id}",
        who=USER,
        path=AddressPath,
        answer=Address,
        etag=True,
    )
    def get_address(self, request: Request, address_id: UUID) -> Json:
        """One of your addresses."""
        return self.users.get_address(user_id=request.actor.user_id, address_id=address_id)

    @route(
        "PUT",
        "/api/users/addresses/{address_id}",
        who=USER,
        path=AddressPath,
        body=AddressReplacement,
        answer=Address,
        etag=True,
    )
    def replace_address(self, request: Request, address_id: UUID, body: Json) -> Json:
        """Replace one of your addresses."""
        return self.users.update_address(
            user_id=request.actor.user_id,
            address_id=address_id,
            version=expected_version(request),
            **body,
        )

    @route("DELETE", "/api/users/addresses/{address_id}", who=USER, path=AddressPath, status=204)
    def delete_address(self, request: Request, address_id: UUID) -> None:
        """Delete one of your addresses."""
        self.users.delete_address(user_id=request.actor.user_id, address_id=address_id)


class AccountRoutes:
    """`/api/users` and `/api/users/{user_id}`: everybody's accounts, for admins."""

    users: Users
    sessions: SessionStates

    @route("GET", "/api/users", who=STAFF, query=UserQuery, answer=UserPage)
    def list_users(self, request: Request, query: Json) -> Json:
        """Users, newest first.

        Staff give a `search`; the list of all is for admins.
        """
        return self.users.list(actor=request.actor, **query)

    @route("POST", "/api/users", who=ADMIN, body=NewAccount, answer=User, status=201, faults=(409,))
    def create_user(self, request: Request, body: Json) -> Response:
        """Create an account for somebody, with any role."""
        user = self.users.create(actor=request.actor, **body)
        return created("/api/users", user)

    @route("GET", "/api/users/{user_id}", who=ADMIN, path=UserPath, answer=User, etag=True)
    def get_user(self, request: Request, user_id: UUID) -> Json:
        """One account."""
        return self.users.get(user_id=user_id)

    @route(
        "PUT",
        "/api/users/{user_id}",
        who=ADMIN,
        path=UserPath,
        body=Account,
        answer=User,
        etag=True,
        faults=(409,),
    )
    def replace_user(self, request: Request, user_id: UUID, body: Json) -> Json:
        """Replace a user's profile: what is not given is emptied."""
        return _change_user(self.users, request, user_id, body, partial=False)

    @route(
        "PATCH",
        "/api/users/{user_id}",
        who=ADMIN,
        path=UserPath,
        body=Account,
        answer=User,
        etag=True,
        faults=(409,),
    )
    def change_user(self, request: Request, user_id: UUID, body: Json) -> Json:
        """Change a user's profile or role."""
        return _change_user(self.users, request, user_id, body, partial=True)

    @route("DELETE", "/api/users/{user_id}", who=ADMIN, path=UserPath, status=204, faults=(409,))
    def delete_user(self, request: Request, user_id: UUID) -> None:
        """Delete a user; orders stay, without the name."""
        answer = self.users.delete(
            user_id=user_id, actor=request.actor, network=request.client_network
        )
        self.sessions.note_ended(answer)


def _change_user(
    users: Users, request: Request, user_id: UUID, fields: Json, *, partial: bool
) -> Json:
    return users.update(
        user_id=user_id,
        partial=partial,
        version=expected_version(request),
        actor=request.actor,
        network=request.client_network,
        **fields,
    )
