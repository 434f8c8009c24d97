"""A day in the shop, in which every call is made once at least, over RPC as the gateway would."""

import datetime
import json
import uuid
from unittest.mock import patch

import pyotp
import pytest

from chassis.clock import Clock
from chassis.errors import Conflict, Unauthenticated
from payments.providers import webhook_signature
from payments.providers.port import RefundReport
from payments.providers.simulator import Simulator
from tests.support import eventually

PASSWORD, OLD_PASSWORD = "correct-Horse-battery-7", "wrong-Horse-battery-8"
ADMIN = {"user_id": str(uuid.uuid4()), "role": "admin"}
STAFF = {"user_id": str(uuid.uuid4()), "role": "staff"}
HOME = {"line1": "Kleine Gasse 3", "city": "Wismar", "postal_code": "23966", "country": "DE"}
WORK = {"line1": "Pier 9", "line2": "2nd floor", "region": "MV", "city": "Rostock"}
WEBHOOK_SECRET = "whsec_of_a_day"
EMAIL = "clara.lindqvist@example.org"

#: What nobody but its owner may read on the wire; the answers of `users` and of orders apart.
PERSONAL = (EMAIL, "Lindqvist", "Kleine Gasse", "+49 381 5550")


def a_day(call, clock, mails):
    """Make every call; returns when all that follows from them has happened. `mails` is the folder
    where mails go."""
    for service in ("users", "products", "inventory", "carts", "orders", "payments"):
        getattr(call, service).health()
    call.notifications.health()
    buyer = _people(call.users, mails)
    _forget_password(call.users, mails)
    kettle, lamp = _goods(call.products)
    _stock(call.inventory, kettle)
    _taxes(call.orders)
    _cart(call.carts, buyer, kettle, lamp)
    _shipping(call, buyer)
    _a_sale(call, buyer)
    _failures(call, clock, buyer, lamp)
    _messages(call.notifications, buyer)


def _people(users, mails):
    buyer = users.sign_up(
        email=EMAIL, password=OLD_PASSWORD, username="clara", first_name="Clara",
        last_name="Lindqvist", phone="+49 381 5550", address=HOME,
    )["id"]  # fmt: skip
    _confirm(users, buyer, mails)
    clerk = users.create(email="sam@example.org", password=PASSWORD, role="staff", actor=ADMIN)
    users.change_password(user_id=buyer, current_password=OLD_PASSWORD, new_password=PASSWORD)
    users.verify_credentials(username="clara", password=PASSWORD)
    tokens = users.login(email=EMAIL, password=PASSWORD)
    tokens = users.refresh(refresh_token=tokens["refresh_token"])
    _sessions(users, buyer)
    _second_factor(users, buyer)
    users.logout(refresh_token=tokens["refresh_token"])
    users.rotate_keys(actor=ADMIN)
    users.jwks()
    users.get(user_id=buyer)
    users.contacts(user_ids=[buyer, uuid.uuid4()])
    users.update(
        user_id=buyer, phone=None, first_name="Klara", partial=True, current_password=PASSWORD
    )
    users.list(search="clara", role="customer", limit=1, actor=ADMIN)
    users.list(limit=1, actor=ADMIN)
    users.list_audit(limit=1, actor=ADMIN)
    users.list_audit(action="role_changed", actor=ADMIN)
    users.update(user_id=clerk["id"], partial=True, role="customer", actor=ADMIN)
    users.delete(user_id=clerk["id"], actor=ADMIN)
    work = users.add_address(user_id=buyer, postal_code="18055", country="DE", **WORK)["id"]
    address = {"user_id": buyer, "address_id": work}
    users.update_address(**address, **HOME)
    users.get_address(**address)
    users.list_addresses(user_id=buyer)
    users.default_address(user_id=buyer)
    users.delete_address(**address)
    return buyer


def _sessions(users, buyer):
    browser = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    users.login(email=EMAIL, password=PASSWORD, network="203.0.113.7", user_agent=browser)
    one, other = (session["id"] for session in users.list_sessions(user_id=buyer)["items"])
    users.check_session(user_id=buyer, session_id=one)
    users.ended_sessions(session_ids=[one, str(uuid.uuid4())])
    users.end_session(user_id=buyer, session_id=one)
    users.end_sessions(user_id=buyer, but=other, actor=ADMIN)
    users.list_sign_ins(user_id=buyer, limit=1)


def _second_factor(users, buyer):
    me = {"user_id": buyer}
    secret = pyotp.TOTP(users.enrol_totp(**me, current_password=PASSWORD)["secret"])
    codes = users.confirm_totp(**me, code=secret.now())["recovery_codes"]
    assert users.get_totp(**me)["recovery_codes_left"] == 10
    with pytest.raises(Unauthenticated) as caught:
        users.login(email=EMAIL, password=PASSWORD)
    users.login_totp(challenge=caught.value.data["challenge"], code=codes[0])
    codes = users.renew_recovery_codes(**me, current_password=PASSWORD, code=codes[1])
    code = codes["recovery_codes"][0]
    users.disable_totp(**me, current_password=PASSWORD, code=code)
    secret = pyotp.TOTP(users.enrol_totp(**me, current_password=PASSWORD)["secret"])
    users.confirm_totp(**me, code=secret.now())
    users.reset_totp(**me, actor=ADMIN)


def _forget_password(users, mails):
    users.forgot_password(email=EMAIL)

    strange = "frida@example.org"  # somebody else has signed up with her address
    users.sign_up(email=strange, password=OLD_PASSWORD)
    users.forgot_password(email=strange)
    for email in (EMAIL, strange):
        users.reset_password(token=_code(mails, email, "15 minutes"), new_password=PASSWORD)


def _confirm(users, buyer, mails):
    """The address of the sign-up, then another one, then the first again."""
    users.verify_email(token=_code(mails, EMAIL, "a day"))
    for address in ("clara@example.org", EMAIL):
        users.update(user_id=buyer, email=address, partial=True, current_password=OLD_PASSWORD)
        if address != EMAIL:
            _code(mails, address, "a day")
            users.request_email_verification(user_id=buyer)
        users.verify_email(token=_code(mails, address, "a day"))
    users.mark_email_verified(user_id=buyer, actor=ADMIN)


def _code(mails, address, good_for):
    """The code in the newest mail to an address; taken, so that none is found twice."""

    def code():
        for path in sorted(
            mails.glob("*.eml"), key=lambda path: path.stat().st_mtime, reverse=True
        ):
            text = path.read_text()
            if f"To: {address}" in text and f"within {good_for}" in text:
                path.unlink()
                return text.split("\n")[-2].strip()

    return eventually(code)


def _goods(products):
    kitchen = products.create_category(name="Kitchen", description="What cooks need", actor=ADMIN)[
        "id"
    ]
    tea = products.create_category(name="Tea", slug="tea", parent_id=kitchen)["id"]
    products.update_category(category_id=tea, name="Tea and coffee")
    products.get_category(category_id=tea)
    products.list_categories()
    kettle = products.create(
        sku="KE-1", name="Kettle", description="Whistles", price="24.90", category_id=tea,
        stock=9, images=["https://img.example.org/kettle.jpg"], attributes={"litres": 1.7},
        actor=ADMIN,
    )  # fmt: skip
    lamp = products.create(name="Lamp", price="8", stock=9)["id"]
    old = products.create(name="Old lamp", price="0.50", stock=1)["id"]
    products.update(product_id=kettle["id"], price="25.00", version=kettle["version"])
    products.get(product_id=kettle["id"])
    products.get_many(ids=[kettle["id"], lamp, 999_999])
    products.list(category="kitchen", min_price="1.00", sort="-price", in_stock=True)
    products.list(search="lamp", limit=1)
    products.delete(product_id=old)
    _variants(products)
    products.delete_category(category_id=products.create_category(name="Toys")["id"])
    return kettle["id"], lamp


def _variants(products):
    small, large = ({"options": {"Size": size}, "stock": 3} for size in ("S", "L"))
    shirt = products.create(name="Shirt", price="29.00", variants=[small, large], actor=ADMIN)["id"]
    one = products.create_variant(product_id=shirt, options={"Size": "M"}, price="31.00")
    products.update_variant(variant_id=one["id"], weight_g=180, version=one["version"])
    products.get_variant(variant_id=one["id"])
    products.get_variants(ids=[one["id"], 999_999])
    (size,) = products.get(product_id=shirt)["options"]
    products.get_variants(product_ids=[shirt])
    products.update_option(product_id=shirt, option_id=size["id"], name="Fit")
    for variant in products.get(product_id=shirt)["variants"][1:]:
        products.delete_variant(variant_id=variant["id"])
    plain = products.create(
        name="Scarf", price="9", options=[{"name": "Hem", "values": ["fringe"]}]
    )
    (hem,) = plain["options"]
    products.delete_option(product_id=plain["id"], option_id=hem["id"], version=plain["version"])


def _locations(inventory, product, order):
    inventory.create_location(code="AMS", name="Amsterdam", country="NL", key="ams", actor=ADMIN)
    place = inventory.get_location(code="AMS")
    inventory.update_location(code="AMS", priority=2, version=place["version"], actor=ADMIN)
    inventory.list_locations()
    items = [{"variant_id": product, "quantity": 2}]
    sent = inventory.send_transfer(from_="MAIN", to="AMS", items=items, key="t", actor=STAFF)
    about = {"transfer_id": sent["id"], "actor": STAFF}
    part = [{"variant_id": product, "quantity": 1}]
    inventory.receive_transfer(items=part, key="r", **about)
    move = {"variant_id": product, "quantity": 1, "from_": "MAIN", "to": "AMS"}
    inventory.relocate(order_id=order, items=[move], actor=STAFF)
    inventory.allocation(order_id=order)
    inventory.cancel_transfer(**about)
    inventory.get_transfer(**about)
    inventory.list_transfers(state="cancelled", limit=1, actor=STAFF)


def _stock(inventory, product):
    inventory.adjust(variant_id=product, delta=3, reason="delivery", actor=STAFF)
    inventory.get(variant_id=product)
    inventory.check(items=[{"variant_id": product, "quantity": 2}])
    lines = [{"variant_id": product, "quantity": 2}]
    order, soon = str(uuid.uuid4()), Clock.source() + datetime.timedelta(minutes=5)
    inventory.reserve(order_id=order, lines=lines, expires_at=soon)
    inventory.commit(order_id=order)
    _locations(inventory, product, order)
    inventory.release(order_id=order, reason="returned")
    inventory.movements(variant_id=product, limit=2)


def _taxes(orders):
    taxed = {"country": "LU", "tax_class": "books", "rate": "3", "label": "TVA 3 %"}
    rate = orders.create_tax_rate(**taxed, actor=ADMIN)
    (listed,) = orders.list_tax_rates(country="LU", limit=1, actor=ADMIN)["items"]
    assert listed["id"] == rate["id"]
    orders.end_tax_rate(tax_rate_id=rate["id"], actor=ADMIN)


def _cart(carts, buyer, kettle, lamp):
    carts.add_item(user_id=buyer, product_id=lamp, quantity=5)
    carts.clear(user_id=buyer)
    assert carts.shipping(user_id=buyer) == {"items": []}
    carts.set_address(user_id=buyer, country="DE", postal_code="23966")
    carts.add_item(user_id=buyer, product_id=kettle, quantity=1)
    carts.add_item(user_id=buyer, product_id=lamp, quantity=1)
    carts.update_quantity(user_id=buyer, product_id=kettle, quantity=2)
    carts.remove_item(user_id=buyer, product_id=lamp)
    carts.get(user_id=buyer)


def _shipping(call, buyer):
    """The shop tries whether it can ship by itself, and leaves it for another day."""
    orders = call.orders
    germany = {"country": "DE"}
    zone = orders.create_shipping_zone(name="Home", members=[germany], key="zone", actor=ADMIN)
    one = {"zone_id": zone["id"], "actor": ADMIN}
    coast = {"country": "DE", "postal_from": "23", "postal_to": "25"}
    orders.update_shipping_zone(**one, members=[germany, coast], version=zone["version"])
    orders.get_shipping_zone(**one)
    orders.list_shipping_zones(actor=ADMIN, limit=1)
    method = orders.create_shipping_method(
        **one, code="standard", name="Parcel", price="4.95", free_from="50.00", key="method"
    )
    orders.update_shipping_method(method_id=method["id"], price="5.45", actor=ADMIN)
    orders.get_shipping_method(method_id=method["id"], actor=ADMIN)
    orders.list_shipping_methods(**one)
    (quote,) = call.carts.shipping(user_id=buyer)["items"]
    assert quote["price"] == "0.00"
    orders.delete_shipping_zone(**one)


def _a_sale(call, buyer):
    """From the cart to the door, a part of the money back, and out of sight."""
    actor = {"user_id": buyer, "role": "customer"}
    placed = call.orders.place(user_id=buyer, expected_total="50.00", key="one")
    assert call.orders.place(user_id=buyer, expected_total="50.00", key="one")["replayed"]
    order = {"order_id": placed["id"]}
    call.orders.update(**order, actor=actor, shipping_address=HOME, version=placed["version"])
    payment = _pay(call, placed, "tok_visa", key="pay")
    assert call.orders.get(**order, actor=actor)["payment_status"] == "paid"
    _parcels(call, order)
    call.payments.refund(payment_id=payment["id"], amount="1.50", reason="scratched", actor=STAFF)
    call.payments.get(payment_id=payment["id"], actor=actor)
    call.payments.list(**order, actor=actor)

    yesterday = Clock.source() - datetime.timedelta(days=1)
    call.payments.reconcile(since=yesterday, until=Clock.source(), actor=ADMIN)

    def is_logged():
        entries = call.orders.timeline(**order, actor=actor)["items"]
        return {"payment", "stock", "order"} == {one["kind"] for one in entries}

    eventually(is_logged)
    eventually(lambda: call.notifications.sent_about(**order)["items"])
    call.orders.list(actor=actor, payment_status="partially_refunded")
    (found,) = call.orders.list(actor=STAFF, search="Lindqvist clara", limit=1)["items"]
    assert found["number"] == placed["number"]
    eventually(lambda: call.orders.get(**order)["payment_status"] == "partially_refunded")
    call.orders.hide(**order, actor=ADMIN)


def _parcels(call, order):
    """One kettle is sent, after its parcel was packed once in vain; the other is not there."""
    made = {**order, "actor": STAFF, "items": [{"line": 1, "quantity": 1}]}
    packed = call.orders.fulfil(**made, state="packing")["id"]
    call.orders.cancel_fulfilment(fulfilment_id=packed, actor=STAFF)
    sent = call.orders.fulfil(**made, carrier="DHL", tracking_number="00340", key="parcel")["id"]
    parcel = {"fulfilment_id": sent, "actor": STAFF}
    call.orders.update_fulfilment(**parcel, tracking_url="https://dhl.example/00340", version=2)
    call.orders.cancel_items(**made, key="gone")
    call.orders.update_fulfilment(**parcel, state="delivered")
    call.orders.get_fulfilment(**parcel)
    call.orders.list_fulfilments(**order, actor=STAFF, limit=1)
    assert call.orders.get(**order, actor=STAFF)["status"] == "delivered"


def _failures(call, clock, buyer, lamp):
    """What buyers, banks and stock do to a shop, until all of it is undone or paid back."""
    actor = {"user_id": buyer, "role": "customer"}
    declined = _order(call, buyer, lamp, 1)
    _pay(call, declined, "tok_declined", key="declined")
    call.orders.cancel(order_id=declined["id"], actor=actor)
    assert _pay(call, declined, "tok_declined", key="declined")["replayed"]
    regretted = _order(call, buyer, lamp, 1)
    _pay(call, regretted, "tok_visa")
    call.orders.cancel(order_id=regretted["id"], reason="Clara Lindqvist moved", actor=actor)
    unknown = _pay(call, _order(call, buyer, lamp, 1), "tok_3ds")
    _back_from_the_bank(call, unknown["action_url"].rpartition("/")[2])
    waiting = {"order_id": unknown["order_id"], "actor": STAFF}
    assert call.orders.list_checkouts(state="paying", actor=STAFF)["items"]
    call.orders.retry_checkout(**waiting)
    assert call.orders.undo_checkout(**waiting)["order_status"] == "cancelled"
    with pytest.raises(Conflict):
        _order(call, buyer, lamp, 20, key="too many")
    lost = _order(call, buyer, lamp, 1)
    call.inventory.release(order_id=lost["id"])
    _pay(call, lost, "tok_visa")
    late = _order(call, buyer, lamp, 1)
    clock.advance(minutes=20)
    _pay(call, late, "tok_visa")
    # Money for an order that nobody knows goes back.
    stray = call.payments.charge(
        order_id=str(uuid.uuid4()), user_id=buyer, amount="7.00", currency="EUR",
        method={"type": "card", "token": "tok_visa"}, key="stray",
    )  # fmt: skip
    for paid in (stray["order_id"], regretted["id"], lost["id"]):
        eventually(lambda paid=paid: _refunded(call, paid))
    _refused_refund(call, _order(call, buyer, lamp, 1))
    clock.advance(seconds=16)  # then orders asks what became of the payment that hangs


def _refused_refund(call, order):
    """The provider gives nothing back for an order that is cancelled."""

    def refuse(self, request):
        return RefundReport(done=False, failure_code="charge_not_refundable")

    def is_known():
        entries = call.orders.timeline(order_id=order["id"], actor=STAFF)["items"]
        return "refund_failed" in {one["cause"] for one in entries}

    _pay(call, order, "tok_visa")
    with patch.object(Simulator, "refund", refuse):
        call.orders.cancel(order_id=order["id"], actor=STAFF)
        eventually(is_known)


def _back_from_the_bank(call, reference):
    """A buyer comes back without having done anything, and the bank says so as well."""
    back = call.payments.returned(provider="simulator", reference=reference)
    key = f"payment-{back['payment_id']}"
    thing = {"object": "charge", "id": reference, "metadata": {"key": key}}
    body = json.dumps({"id": "evt_1", "type": "charge.pending", "data": {"object": thing}})
    signature = webhook_signature.sign(body, WEBHOOK_SECRET)
    call.payments.webhook(provider="simulator", body=body, signature=signature)


def _messages(notifications, buyer):
    message = {"user_id": buyer, "subject": "Dear Clara Lindqvist", "body": "Your lamp is back."}
    start = notifications.since(user_id=buyer)["reached"]  # from now on it is watched
    note = notifications.send(**message, channel="in_app", key="m1", actor=STAFF)["id"]
    notifications.send(**message, channel="email", key="m2", actor=STAFF)
    notifications.mark_read(notification_id=note, read=True)
    notifications.list(user_id=buyer, unread=True, limit=1)
    assert notifications.since(user_id=buyer, after=0)["reached"] > start
    notifications.positions(user_ids=[buyer])

    def all_sent():
        mails = notifications.list(user_id=buyer, limit=100)["items"]
        return {one["status"] for one in mails} <= {"sent", "skipped"}

    eventually(all_sent)


def _order(call, buyer, product, quantity, **request):
    items = [{"product_id": product, "quantity": quantity, "price": "8.00"}]
    return call.orders.place(user_id=buyer, items=items, shipping_address=HOME, **request)


def _pay(call, order, token, key=None):
    actor = {"user_id": order["user_id"], "role": "customer"}
    method = {"type": "card", "token": token}
    return call.orders.pay(order_id=order["id"], method=method, key=key, actor=actor)


def _refunded(call, order_id):
    (payment,) = call.payments.list(order_id=order_id)["items"]
    return payment["status"] == "refunded"
