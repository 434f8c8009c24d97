"""The second factor."""

from contracts.users import requests
from gateway.schemas.derive import body

LoginTotp = body(
    "LoginTotp",
    requests.LoginTotp,
    "`challenge` as the problem `totp_required` of the login has it.",
    without=("network", "user_agent"),
)
TotpEnrolment = body("TotpEnrolment", requests.EnrolTotp, without=("user_id",))
TotpConfirmation = body("TotpConfirmation", requests.ConfirmTotp, without=("user_id", "network"))
TotpProof = body("TotpProof", requests.TotpProof, "Both factors.", without=("user_id", "network"))
