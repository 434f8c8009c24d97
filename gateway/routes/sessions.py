"""Sessions: where one is signed in, and ending that; when and from where one has signed in."""

from uuid import UUID

from chassis.messages import Json
from chassis.web import Request, route
from contracts.users.answers import SessionPage, SignInPage
from contracts.users.interface import Users
from gateway.access import ADMIN, USER
from gateway.schemas.common import UserPath
from gateway.schemas.sessions import SessionPath, SignInQuery
from gateway.sessions import SessionStates


class SessionRoutes:
    """`/api/users/sessions…` and `/api/users/sign-ins`: one's own; for admins, the end of all of a
    user's."""

    users: Users
    sessions: SessionStates

    @route("GET", "/api/users/sessions", who=USER, answer=SessionPage)
    def list_sessions(self, request: Request) -> Json:
        """Where you are signed in, the last used first."""
        user_id, session_id = request.actor.user_id, request.session_id
        return self.users.list_sessions(user_id=user_id, session_id=session_id)

    @route(
        "DELETE",
        "/api/users/sessions/{session_id}",
        who=USER,
        path=SessionPath,
        status=204,
        faults=(404,),
    )
    def end_session(self, request: Request, session_id: UUID) -> None:
        """Sign out elsewhere: end one of your sessions."""
        user_id, network = request.actor.user_id, request.client_network
        answer = self.users.end_session(user_id=user_id, session_id=session_id, network=network)
        self.sessions.note_ended(answer)

    @route("DELETE", "/api/users/sessions", who=USER, status=204)
    def end_other_sessions(self, request: Request) -> None:
        """Sign out everywhere else: end all your sessions but this one."""
        self._end_sessions(request, request.actor.user_id, but=request.session_id)

    @route(
        "DELETE",
        "/api/users/{user_id}/sessions",
        who=ADMIN,
        path=UserPath,
        status=204,
        faults=(404,),
    )
    def end_sessions_of_user(self, request: Request, user_id: UUID) -> None:
        """End all sessions of a user."""
        self._end_sessions(request, user_id)

    @route("GET", "/api/users/sign-ins", who=USER, query=SignInQuery, answer=SignInPage)
    def list_sign_ins(self, request: Request, query: Json) -> Json:
        """Sign-ins to your account, failed ones too, newest first."""
        return self.users.list_sign_ins(user_id=request.actor.user_id, **query)

    def _end_sessions(self, request: Request, user_id: UUID, but: UUID | None = None) -> None:
        answer = self.users.end_sessions(
            user_id=user_id, but=but, actor=request.actor, network=request.client_network
        )
        self.sessions.note_ended(answer)
