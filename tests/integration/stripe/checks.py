"""What holds after every test here."""

import re
from decimal import Decimal

from tests.integration.stripe.additions import API_KEY

#: What must never be stored, logged or told.
_SECRET = re.compile(
    rf"{API_KEY}|whsec_\w+|_secret_\w+|client_secret['\"]?[:=]|\bpm_\w+"
    r"|(?<![\d.])4(?:242424242424242|000\d{12})(?!\d)"
)
#: Decimal places by which Stripe counts, where they are not two.
_PLACES = {"JPY": 0, "MGA": 0, "KWD": 3}


def secrets_in(text):
    """API keys, secrets of webhooks and clients, tokens and card numbers in a text."""
    return _SECRET.findall(text)


def books_agree(sql, stripe):
    """Each payment was charged at most once, and what is decided is the same in both books."""
    taken, given = {}, {}
    for charge in stripe.all("charges"):
        if charge["status"] == "succeeded":
            key = charge["metadata"].get("key")
            assert key not in taken, "charged twice"
            taken[key] = charge["payment_intent"], charge["amount"], charge["currency"].upper()
    for refund in stripe.all("refunds"):
        if refund["status"] == "succeeded":
            intent = refund["payment_intent"]
            given[intent] = given.get(intent, 0) + refund["amount"]
    decided = "SELECT * FROM payments WHERE status NOT IN ('pending', 'requires_action')"
    for payment in sql(decided):
        intent, amount, currency = taken.get(f"payment-{payment['id']}", (None, 0, ""))
        scale = -_PLACES.get(currency, 2)
        assert payment["captured"] == Decimal(amount).scaleb(scale)
        if not payment["refunding"]:
            assert payment["refunded"] == Decimal(given.get(intent, 0)).scaleb(scale)
