"""How long sessions and their tokens hold."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chassis.identity import Role


@dataclass(frozen=True)
class Lifetimes:
    """How long an access token holds, and an unused refresh token; how long a used one may be
    repeated; and how long a session lasts at most, however often it is refreshed: for customers,
    and for staff and admins."""

    access_token: datetime.timedelta
    refresh_token: datetime.timedelta
    grace: datetime.timedelta
    session: datetime.timedelta
    staff_session: datetime.timedelta

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Lifetimes":
        """As the section `users` of the settings has them."""
        return cls(
            access_token=datetime.timedelta(seconds=settings["access_token_seconds"]),
            refresh_token=datetime.timedelta(seconds=settings["refresh_token_seconds"]),
            grace=datetime.timedelta(seconds=settings["refresh_grace_seconds"]),
            session=datetime.timedelta(seconds=settings["session_seconds"]),
            staff_session=datetime.timedelta(seconds=settings["staff_session_seconds"]),
        )

    def end(
        self, role: str, created_at: datetime.datetime, now: datetime.datetime
    ) -> datetime.datetime:
        """When a session that is used now ends, if it is not used again."""
        longest = self.session if role == Role.CUSTOMER else self.staff_session
        return min(now + self.refresh_token, created_at + longest)
