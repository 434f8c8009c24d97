"""People: sign-up, sessions, profiles, addresses, administration."""

from chassis.fields import Request, Uuid
from contracts.users import requests
from gateway.schemas.derive import body, query

SignUp = body("SignUp", requests.SignUp, without=("network",))
NewAccount = body(
    "NewAccount",
    requests.Create,
    "`email_verified` when you answer for the address: then nobody is asked to confirm it.",
    without=("network", "actor"),
)
Login = body(
    "Login",
    requests.Login,
    "`email` or `username`, one of the two, and the password.",
    without=("network", "user_agent"),
)
RefreshToken = body("RefreshToken", requests.RefreshToken, without=("network",))
PasswordChange = body("PasswordChange", requests.ChangePassword, without=("user_id", "network"))
PasswordForgotten = body("PasswordForgotten", requests.ForgotPassword, without=("network",))
PasswordReset = body(
    "PasswordReset", requests.ResetPassword, "`token` as the mail has it.", without=("network",)
)
EmailConfirmation = body(
    "EmailConfirmation", requests.VerifyEmail, "`token` as the mail has it.", without=("network",)
)

_BY_THE_GATEWAY = ("user_id", "partial", "version", "network", "actor")
Profile = body(
    "Profile",
    requests.Update,
    "PUT empties what is not given, PATCH leaves it. Another `email`, `username` or `phone` needs"
    " `current_password`. Another `email` waits in `pending_email` until it is confirmed; the"
    " present one gives that up.",
    without=(*_BY_THE_GATEWAY, "role"),
)
Account = body(
    "Account",
    requests.Update,
    "What admins change: the role too, and without anybody's password.",
    without=(*_BY_THE_GATEWAY, "current_password"),
)
UserQuery = query("UserQuery", requests.ListUsers, without=("actor",))


class AddressPath(Request):
    address_id = Uuid(required=True)
