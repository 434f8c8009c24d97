"use strict";

const { createHash, randomUUID } = require("node:crypto");
const { MoleculerClientError } = require("moleculer").Errors;
const { connect, transaction } = require("../database");

const PAYMENT_WINDOW = 30 * 60_000;
// A reservation outlives its order by this.
const GRACE = 5 * 60_000;

const text = { type: "string", trim: true, min: 1, max: 200 };
const ADDRESS = {
	line1: text,
	line2: { ...text, optional: true },
	city: text,
	region: { ...text, optional: true },
	postal_code: text,
	country: { type: "string", pattern: /^[A-Z]{2}$/ }
};

/** Money is counted in cents. */
const cents = price => Math.round(Number(price) * 100);
const money = amount => (amount / 100).toFixed(2);

/** Takes orders. */
module.exports = {
	name: "orders",

	actions: {
		ready() {
			return this.pool.query("SELECT 1").then(() => true);
		},

		place: {
			params: {
				$$strict: true,
				items: {
					type: "array",
					min: 1,
					max: 100,
					items: {
						type: "object",
						strict: true,
						props: {
							product_id: { type: "number", integer: true, positive: true },
							quantity: { type: "number", integer: true, min: 1, max: 1000 }
						}
					}
				},
				shipping_address: { type: "object", strict: true, props: ADDRESS }
			},
			async handler(ctx) {
				const order = await this.draft(ctx);
				await ctx.call("products.reserve", {
					order_id: order.id,
					items: order.items.map(({ product_id, quantity }) => ({ product_id, quantity })),
					expires_at: new Date(order.expires_at.getTime() + GRACE).toISOString()
				});
				await transaction(this.pool, client => this.write(client, order, ctx.params));
				ctx.meta.$statusCode = 201;
				ctx.meta.$location = `/api/orders/${order.id}`;
				return order;
			}
		}
	},

	methods: {
		/** The order to be, at the prices of now. */
		async draft(ctx) {
			const quantities = new Map();
			for (const { product_id, quantity } of ctx.params.items)
				quantities.set(product_id, (quantities.get(product_id) ?? 0) + quantity);
			const found = await ctx.call("products.prices", { ids: [...quantities.keys()] });
			if (found.length !== quantities.size)
				throw new MoleculerClientError("There is no such product.", 422);
			const prices = new Map(found.map(price => [price.id, price]));
			const items = [...quantities].map(([product_id, quantity]) => {
				const { name, price } = prices.get(product_id);
				const line_total = money(cents(price) * quantity);
				return { product_id, name, quantity, unit_price: price, line_total };
			});
			const now = new Date();
			return {
				id: randomUUID(),
				user_id: ctx.meta.user.id,
				status: "pending",
				payment_status: "unpaid",
				items,
				total: money(items.reduce((sum, line) => sum + cents(line.line_total), 0)),
				currency: found[0].currency,
				shipping_address: ctx.params.shipping_address,
				created_at: now,
				expires_at: new Date(now.getTime() + PAYMENT_WINDOW),
				version: 1
			};
		},

		/** The order, its lines, its timeline and its event. */
		async write(client, order, request) {
			const fingerprint = createHash("sha256").update(JSON.stringify(request)).digest("hex");
			await client.query(
				"INSERT INTO orders (id, user_id, status, payment_status, total, currency," +
					" shipping_address, fingerprint, created_at, updated_at, expires_at, version)" +
					" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11)",
				[
					order.id, order.user_id, order.status, order.payment_status, order.total,
					order.currency, order.shipping_address, fingerprint, order.created_at,
					order.expires_at, order.version
				]
			);
			for (const [position, line] of order.items.entries())
				await client.query(
					"INSERT INTO order_lines" +
						" (order_id, product_id, position, name, quantity, unit_price)" +
						" VALUES ($1, $2, $3, $4, $5, $6)",
					[order.id, line.product_id, position, line.name, line.quantity, line.unit_price]
				);
			const placed = { total: order.total, currency: order.currency };
			await client.query(
				"INSERT INTO timeline (order_id, at, kind, cause, actor, detail) VALUES" +
					" ($1, $2, 'order', 'placed', 'customer', $3)," +
					" ($1, $2, 'stock', 'reserved', 'system', $4)",
				[order.id, order.created_at, placed, { until: order.expires_at }]
			);
			const { id, user_id, total, currency, version } = order;
			await client.query(
				"INSERT INTO outbox (event_id, source, type, payload, headers, occurred_at)" +
					" VALUES ($1, 'orders', 'order_placed', $2, '{}', $3)",
				[
					randomUUID(),
					{ order_id: id, user_id, total, currency, version, cause: "placed" },
					order.created_at
				]
			);
		}
	},

	created() {
		this.pool = connect("ORDERS_DSN");
	},

	stopped() {
		return this.pool.end();
	}
};
