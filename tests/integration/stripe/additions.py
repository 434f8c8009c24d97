"""`localstripe`, and what Stripe documents beyond it: fields, refusals, lists with filters, 3-D
Secure by redirect, payment pages, disputes, refunds that take time.

https://docs.stripe.com/api; what the buyer and the bank do are methods here.
"""

import itertools
import re
import time

import requests

API_KEY = "sk_test_4eC39HqLyjWDarjtT1"
#: Cards that are declined (https://docs.stripe.com/testing), and the reason; localstripe knows but
#: one such card, and no reasons.
DECLINED = {"4000000000000002": "generic_decline", "4000000000009995": "insufficient_funds"}
LOCALSTRIPE_DECLINES = "4000000000000341"


def error(kind, message, **more):
    """The body of an error."""
    return {"error": {"type": kind, "message": message, **more}}


class Stripe:
    """Answers requests, with the help of localstripe at `upstream`."""

    def __init__(self, upstream):
        self._upstream = upstream
        self._numbers = itertools.count(1)
        self._pages, self._disputes = {}, {}
        #: By id: what is otherwise, or more, than localstripe has it.
        self._more = {}
        #: PaymentMethods that are declined, and why.
        self._declined = {}
        self.refunds_wait = False

    def answer(self, method, path, form):
        """Status and body."""
        if any(name.startswith("payment_method_types") for name in form):
            # https://docs.stripe.com/changelog/endive/2026-09-30
            code = "payment_method_types_no_longer_supported"
            return 400, error("invalid_request_error", "Not taken any more.", code=code)
        for at, pattern, handler in ROUTES:
            if at == method and (found := re.fullmatch("/v1/" + pattern, path)):
                return handler(self, form, *found.groups())
        return self._pass(method, path, form)

    # What the buyer and the bank do.

    def card(self, number="4242424242424242"):
        """The token of a card that was entered in the buyer's browser."""
        sent = LOCALSTRIPE_DECLINES if number in DECLINED else number
        card = {"number": sent, "exp_month": "12", "exp_year": "2030", "cvc": "123"}
        form = {"type": "card", **{f"card[{name}]": value for name, value in card.items()}}
        _, made = self._pass("POST", "/v1/payment_methods", form)
        self._declined[made["id"]] = DECLINED.get(number)
        return made["id"]

    def authenticate(self, intent, passed=True):
        """The buyer does what the bank asks for, or fails to."""
        secret = self.get("payment_intents", intent)["client_secret"]
        form = {"client_secret": secret, "success": str(passed).lower()}
        self._pass("POST", f"/v1/payment_intents/{intent}/_authenticate", form)

    def pay(self, page, token):
        """The buyer pays on the page."""
        wanted = self._pages[page]["_intent"] | {"payment_method": token}
        _, intent = self._pass("POST", "/v1/payment_intents", wanted)
        self._pass("POST", f"/v1/payment_intents/{intent['id']}/confirm", {})
        self._pages[page].update(
            payment_intent=intent["id"], payment_status="paid", status="complete", url=None
        )
        return intent["id"]

    def dispute(self, intent, amount, status="needs_response", moved=(-1,)):
        """The buyer's bank takes money back (`moved` -1), and what it gives again (1)."""
        made = {
            "id": f"du_{next(self._numbers)}",
            "object": "dispute",
            "created": int(time.time()),
            "amount": amount,
            "currency": self.get("payment_intents", intent)["currency"],
            "payment_intent": intent,
            "charge": "ch_1",
            "status": status,
            "balance_transactions": [{"amount": sign * amount} for sign in moved],
        }
        self._disputes[made["id"]] = made
        return made["id"]

    def change(self, thing, **fields):
        """Have a thing be otherwise from now on: a refund succeeds, a charge is older."""
        self._more.setdefault(thing, {}).update(fields)

    # Its books.

    def get(self, kind, thing):
        return self._pass("GET", f"/v1/{kind}/{thing}", {})[1]

    def all(self, kind):
        if kind == "disputes":
            return list(self._disputes.values())
        return self._pass("GET", f"/v1/{kind}", {"limit": 100_000})[1]["data"]

    # What localstripe lacks.

    def _make_intent(self, form):
        allowed = "allowed_payment_method_types"
        form = {name.replace(allowed, "payment_method_types"): form[name] for name in form}
        return self._pass("POST", "/v1/payment_intents", form)

    def _confirm(self, form, intent):
        form = dict(form)
        back = form.pop("return_url", None)
        status, body = self._pass("POST", f"/v1/payment_intents/{intent}/confirm", form)
        if back and body.get("status") == "requires_action":
            url = "https://hooks.stripe.com/3d_secure_2/hosted?payment_intent_client_secret="
            to = {"url": url + body["client_secret"], "return_url": back}
            self.change(intent, _redirect=to)
        elif status == 402:
            token = self.get("payment_intents", intent)["payment_method"]
            body["error"] |= {"type": "card_error", "decline_code": self._declined.get(token)}
        elif status == 400:
            body["error"]["code"] = "payment_intent_unexpected_state"
        return status, self._dressed(body)

    def _cancel(self, form, intent):
        self.change(intent, **form)
        return self._pass("POST", f"/v1/payment_intents/{intent}/cancel", {})

    def _refund(self, form):
        intent = form["payment_intent"]
        given = sum(
            refund["amount"]
            for refund in self.all("refunds")
            if refund["payment_intent"] == intent and refund["status"] != "failed"
        )
        if given + int(form["amount"]) > self.get("payment_intents", intent)["amount_received"]:
            code = "charge_already_refunded"
            return 400, error("invalid_request_error", "Too much.", code=code)
        status, body = self._pass("POST", "/v1/refunds", form)
        if self.refunds_wait:
            self.change(body["id"], status="pending")
        return status, self._dressed(body)

    def _list(self, form, kind):
        things = sorted(self.all(kind), key=lambda thing: thing["created"], reverse=True)
        since, until = (int(form.get(f"created[{end}]", 0)) for end in ("gte", "lt"))
        wanted = form.get("payment_intent")
        things = [
            thing
            for thing in things
            if since <= thing["created"]
            and (not until or thing["created"] < until)
            and wanted in (None, thing["payment_intent"])
        ]
        ids = [thing["id"] for thing in things]
        start = ids.index(form["starting_after"]) + 1 if "starting_after" in form else 0
        end = start + int(form.get("limit", 10))
        more = end < len(things)
        url = f"/v1/{kind}"
        return 200, {"object": "list", "data": things[start:end], "has_more": more, "url": url}

    def _make_page(self, form):
        name = f"cs_test_{next(self._numbers):024}"
        price = "line_items[0][price_data]"
        amount, currency = int(form[f"{price}[unit_amount]"]), form[f"{price}[currency]"]
        key = form["payment_intent_data[metadata][key]"]
        self._pages[name] = {
            "id": name,
            "object": "checkout.session",
            "created": int(time.time()),
            "amount_total": amount,
            "currency": currency,
            "metadata": {"key": form["metadata[key]"]},
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "url": f"https://checkout.stripe.com/c/pay/{name}",
            "_intent": {"amount": amount, "currency": currency, "metadata[key]": key},
        }
        return self._page({}, name)

    def _page(self, form, name):
        page = self._pages[name]
        return 200, {field: page[field] for field in page if not field.startswith("_")}

    def _expire(self, form, name):
        if self._pages[name]["status"] != "open":
            return 400, error("invalid_request_error", "Not open.")
        self._pages[name].update(status="expired", url=None)
        return self._page(form, name)

    def _pass(self, method, path, form):
        sent = {"data" if method == "POST" else "params": form}
        answer = requests.request(
            method, self._upstream + path, auth=(API_KEY, ""), timeout=30, **sent
        )
        return answer.status_code, self._dressed(answer.json())

    def _dressed(self, body):
        """With what Stripe's objects have besides."""
        if body.get("object") == "list":
            body["data"] = [self._dressed(each) for each in body["data"]]
            return body
        more = dict(self._more.get(body.get("id"), {}))
        redirect = more.pop("_redirect", None)
        if body.get("object") == "payment_intent":
            done = body["status"] == "succeeded"
            body["amount_received"] = body["amount"] if done else 0
            if redirect and body["next_action"]:
                body["next_action"] = {"type": "redirect_to_url", "redirect_to_url": redirect}
            if body["last_payment_error"]:
                token = body["payment_method"]
                body["last_payment_error"]["decline_code"] = self._declined.get(token)
        elif body.get("object") == "charge":
            body["amount_captured"] = body["amount"] if body["captured"] else 0
            if body["payment_intent"]:
                intent = self.get("payment_intents", body["payment_intent"])
                body["metadata"] = intent["metadata"]
        return body | more


ROUTES = [
    ("POST", "payment_intents", Stripe._make_intent),
    ("POST", r"payment_intents/(\w+)/confirm", Stripe._confirm),
    ("POST", r"payment_intents/(\w+)/cancel", Stripe._cancel),
    ("POST", "refunds", Stripe._refund),
    ("GET", "(charges|refunds|disputes)", Stripe._list),
    ("POST", "checkout/sessions", Stripe._make_page),
    ("GET", r"checkout/sessions/(\w+)", Stripe._page),
    ("POST", r"checkout/sessions/(\w+)/expire", Stripe._expire),
]
