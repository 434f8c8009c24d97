"""The description of the API and its page, as the gateway serves them."""

import json
import re

import pytest
import requests

from tests.browser import Browser
from tests.e2e.client import ADDRESS, PASSWORD
from tests.e2e.description import DOCUMENT

LOG_IN, PLACE_ORDER = "#operations-users-log_in", "#operations-orders-place_order"


@pytest.fixture
def browser(tmp_path):
    browser = Browser(tmp_path / "profile")
    yield browser
    browser.close()


def test_the_description_is_served_as_it_was_made(shop):
    """The document of the declarations; whoever has it already gets 304."""
    assert shop.nobody.get("/api/openapi.json") == json.loads(json.dumps(DOCUMENT))
    tag = shop.nobody.answer.headers["ETag"]
    again = requests.get(f"{shop.url}/api/openapi.json", headers={"If-None-Match": tag}, timeout=10)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)


def test_the_page_takes_nothing_from_elsewhere(shop):
    """Every file comes from here, with its type; the policy allows no other place."""
    page = requests.get(f"{shop.url}/api/docs", timeout=10)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "://" not in page.text
    script = requests.get(f"{shop.url}/api/docs/swagger-ui-bundle.js", timeout=10)
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    shop.nobody.get("/api/docs/README", 422)


def executed(browser, operation, body):
    """The status and text of the answer to an operation that is tried out on the page."""
    browser.click(f"{operation} .opblock-summary-control")
    browser.fill(f"{operation} textarea", json.dumps(body))
    browser.click(f"{operation} button.execute")
    answer = f"document.querySelector('{operation} .live-responses-table .response"
    status, text = f"{answer} .response-col_status')", f"{answer} .highlight-code')"
    browser.wait(f"!!({status} && {status}.textContent.trim() && {text})")
    browser.run(f"document.querySelector('{operation} .responses-wrapper').scrollIntoView()")
    return browser.run(f"{status}.textContent")[:3], browser.run(f"{text}.textContent")


def test_one_logs_in_and_orders_on_the_page(shop, browser, tmp_path):
    """Execute `log_in`, authorize with its token, execute `place_order`, and stay signed in over a
    reload."""
    buyer, product = shop.customer(), shop.product()
    email = buyer.get("/api/users/profile")["email"]
    browser.open(f"{shop.url}/api/docs")
    browser.wait("document.querySelectorAll('.opblock').length >= 60")
    browser.screenshot(tmp_path / "page.png")
    status, answer = executed(browser, LOG_IN, {"email": email, "password": PASSWORD})
    assert status == "200", answer
    token = re.search(r'"access_token": *"([^"]+)"', answer)[1]
    browser.click("button.authorize")
    browser.fill(".auth-container input", token)
    browser.click(".auth-btn-wrapper button.authorize")
    browser.click(".auth-btn-wrapper .btn-done")
    body = {
        "items": [{"product_id": product["id"], "quantity": 2}],
        "shipping_address": ADDRESS,
    }
    status, answer = executed(browser, PLACE_ORDER, body)
    browser.screenshot(tmp_path / "order.png")
    assert status == "201", answer
    placed = buyer.get("/api/orders")["items"]
    assert [line["quantity"] for line in placed[0]["items"]] == [2]
    browser.open(f"{shop.url}/api/docs")
    browser.wait("!!document.querySelector('button.authorize.locked')")
    assert browser.complaints == []
