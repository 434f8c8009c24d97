"""The RPC methods of users."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Required, TypedDict, Unpack
from uuid import UUID

from chassis.identity import Actor
from chassis.messages import Json


class Profile(TypedDict, total=False):
    """What `requests.Update` takes of a profile."""

    email: str
    username: str | None
    first_name: str | None
    last_name: str | None
    phone: str | None


class Account(Profile, total=False):
    """What `requests.SignUp` takes of an account; `email` has to be there."""

    password: Required[str]
    address: Mapping[str, Any] | None


class PostalAddress(TypedDict, total=False):
    """What `requests.AddAddress` takes of an address."""

    name: str | None
    company: str | None
    phone: str | None
    line1: Required[str]
    line2: str | None
    city: str | None
    region: str | None
    postal_code: str | None
    country: Required[str]
    default: bool


class Users(Protocol):
    """Answers are JSON; their schemas are in `contracts.users.answers`."""

    # Accounts

    def sign_up(self, *, network: str | None = None, **account: Unpack[Account]) -> Json: ...

    def create(
        self,
        *,
        role: str = "customer",
        email_verified: bool = False,
        network: str | None = None,
        actor: Actor,
        **account: Unpack[Account],
    ) -> Json: ...

    def get(self, *, user_id: UUID) -> Json: ...

    def list(
        self,
        *,
        search: str | None = None,
        role: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
        actor: Actor,
    ) -> Json: ...

    def find(self, *, search: str, limit: int) -> Json: ...

    def contacts(self, *, user_ids: Sequence[UUID]) -> Json: ...

    def update(
        self,
        *,
        user_id: UUID,
        partial: bool = False,
        role: str = ...,
        current_password: str | None = None,
        version: int | None = None,
        network: str | None = None,
        actor: Actor,
        **profile: Unpack[Profile],
    ) -> Json: ...

    def delete(self, *, user_id: UUID, actor: Actor, network: str | None = None) -> Json: ...

    def verify_email(self, *, token: str, network: str | None = None) -> None: ...

    def request_email_verification(self, *, user_id: UUID) -> None: ...

    def issue_verification_token(self, *, verification_id: UUID) -> Json: ...

    def old_email(self, *, change_id: UUID) -> Json: ...

    def mark_email_verified(self, *, user_id: UUID, actor: Actor) -> Json: ...

    # Addresses

    def list_addresses(self, *, user_id: UUID) -> Json: ...

    def get_address(self, *, user_id: UUID, address_id: UUID) -> Json: ...

    def default_address(self, *, user_id: UUID) -> Json: ...

    def add_address(self, *, user_id: UUID, **address: Unpack[PostalAddress]) -> Json: ...

    def update_address(
        self,
        *,
        user_id: UUID,
        address_id: UUID,
        version: int | None = None,
        **address: Unpack[PostalAddress],
    ) -> Json: ...

    def delete_address(self, *, user_id: UUID, address_id: UUID) -> None: ...

    # Passwords

    def change_password(
        self, *, user_id: UUID, current_password: str, new_password: str, network: str | None = None
    ) -> Json: ...

    def forgot_password(self, *, email: str, network: str | None = None) -> None: ...

    def issue_reset_token(self, *, reset_id: UUID) -> Json: ...

    def reset_password(
        self, *, token: str, new_password: str, network: str | None = None
    ) -> Json: ...

    # Sessions

    def login(
        self,
        *,
        email: str = ...,
        username: str = ...,
        password: str,
        network: str | None = None,
        user_agent: str | None = None,
    ) -> Json: ...

    def verify_credentials(
        self, *, email: str = ..., username: str = ..., password: str, network: str | None = None
    ) -> Json: ...

    def refresh(self, *, refresh_token: str, network: str | None = None) -> Json: ...

    def logout(self, *, refresh_token: str, network: str | None = None) -> Json: ...

    def check_session(self, *, user_id: UUID, session_id: UUID | None = None) -> Json: ...

    def ended_sessions(self, *, session_ids: Sequence[UUID | str]) -> Json: ...

    def list_sessions(self, *, user_id: UUID, session_id: UUID | None = None) -> Json: ...

    def end_session(
        self, *, user_id: UUID, session_id: UUID, network: str | None = None
    ) -> Json: ...

    def end_sessions(
        self,
        *,
        user_id: UUID,
        but: UUID | None = None,
        actor: Actor,
        network: str | None = None,
    ) -> Json: ...

    def rotate_keys(self, *, actor: Actor) -> Json: ...

    def jwks(self) -> Json: ...

    # The second factor

    def login_totp(
        self,
        *,
        challenge: str,
        code: str,
        network: str | None = None,
        user_agent: str | None = None,
    ) -> Json: ...

    def get_totp(self, *, user_id: UUID) -> Json: ...

    def enrol_totp(self, *, user_id: UUID, current_password: str) -> Json: ...

    def confirm_totp(self, *, user_id: UUID, code: str, network: str | None = None) -> Json: ...

    def disable_totp(
        self, *, user_id: UUID, current_password: str, code: str, network: str | None = None
    ) -> None: ...

    def renew_recovery_codes(
        self, *, user_id: UUID, current_password: str, code: str, network: str | None = None
    ) -> Json: ...

    def reset_totp(self, *, user_id: UUID, actor: Actor, network: str | None = None) -> Json: ...

    # The audit trail

    def list_audit(
        self,
        *,
        user_id: UUID | None = None,
        actor_id: UUID | None = None,
        action: str | None = None,
        target: str | None = None,
        target_id: str | None = None,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        limit: int = 20,
        cursor: str | None = None,
        actor: Actor,
    ) -> Json: ...

    def list_sign_ins(
        self, *, user_id: UUID, limit: int = 20, cursor: str | None = None
    ) -> Json: ...
