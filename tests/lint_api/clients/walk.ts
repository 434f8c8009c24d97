// From sign-up to refund with the types that openapi-typescript makes: `walk.js URL STAFF_TOKEN EMAIL`.
// Checked by tsc in strict mode and run.
import assert from "node:assert";
import createClient from "openapi-fetch";
import type { paths } from "./shop.js";

const [url, staffToken, email] = process.argv.slice(2) as [string, string, string];
const password = "a long enough password 4 walks";
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

const nobody = createClient<paths>({ baseUrl: url });
const user = await nobody.POST("/api/users/signup", { body: { email, password } });
assert(user.data, JSON.stringify(user.error));
const refused = await nobody.POST("/api/users/login", { body: { email, password: "another one" } });
assert.equal(refused.error?.code, "bad_credentials");
const tokens = await nobody.POST("/api/users/login", { body: { email, password } });
assert(tokens.data, JSON.stringify(tokens.error));

const buyer = createClient<paths>({ baseUrl: url, headers: bearer(tokens.data.access_token) });
const page = await nobody.GET("/api/products", { params: { query: { in_stock: true, limit: 1 } } });
assert(page.data?.items[0], JSON.stringify(page.error));
const order = await buyer.POST("/api/orders", {
  params: { header: { "Idempotency-Key": `walk-${email}` } },
  body: {
    items: [{ product_id: page.data.items[0].id, quantity: 1 }],
    shipping_address: { line1: "1 Main Street", city: "Utrecht", postal_code: "3511 AB", country: "NL" },
  },
});
assert(order.data, JSON.stringify(order.error));
const payment = await buyer.POST("/api/payments", {
  body: { order_id: order.data.id, method: { type: "card", token: "tok_visa" } },
});
assert(payment.data, JSON.stringify(payment.error));
assert.equal(payment.data.status, "succeeded");

const staff = createClient<paths>({ baseUrl: url, headers: bearer(staffToken) });
const refund = await staff.POST("/api/payments/{payment_id}/refund", {
  params: { path: { payment_id: payment.data.id } },
  body: { reason: "came back" },
});
assert.equal(refund.data?.refunded, order.data.total, JSON.stringify(refund.error));
