"use strict";

const { MoleculerClientError } = require("moleculer").Errors;
const { connect, transaction } = require("../database");
const sql = require("../sql");

const LOCK = `
	SELECT s.product_id, s.on_hand - s.reserved AS available
	FROM stock s JOIN products p ON p.id = s.product_id
	WHERE s.product_id = ANY($1) AND p.deleted_at IS NULL
	ORDER BY s.product_id FOR NO KEY UPDATE OF s
`;

/** Products and their stock. */
module.exports = {
	name: "products",

	actions: {
		ping: {
			params: { n: { type: "number", integer: true, convert: true } },
			handler: ctx => ({ n: ctx.params.n })
		},

		ready() {
			return this.pool.query("SELECT 1").then(() => true);
		},

		get: {
			params: { id: { type: "number", integer: true, positive: true, convert: true } },
			async handler(ctx) {
				const { rows } = await this.pool.query(sql.BY_ID, [ctx.params.id]);
				if (!rows.length) throw new MoleculerClientError("There is no such product.", 404);
				return rows[0];
			}
		},

		list: {
			params: {
				limit: { type: "number", integer: true, min: 1, max: 100, convert: true, default: 20 },
				search: { type: "string", min: 1, max: 200, optional: true }
			},
			async handler(ctx) {
				const { limit, search } = ctx.params;
				const rows = search ? await this.find(search, limit + 1) : await this.newest(limit + 1);
				const items = rows.slice(0, limit);
				const last = items.at(-1);
				const next = rows.length > limit ? `${last.created_at.toISOString()}_${last.id}` : null;
				return { items, next };
			}
		},

		prices: {
			params: { ids: { type: "array", items: "number" } },
			async handler(ctx) {
				const { rows } = await this.pool.query(
					"SELECT id, name, price, currency FROM products" +
						" WHERE id = ANY($1) AND deleted_at IS NULL",
					[ctx.params.ids]
				);
				return rows;
			}
		},

		reserve: {
			params: { order_id: "uuid", items: "array", expires_at: "string" },
			handler(ctx) {
				return transaction(this.pool, client => this.hold(client, ctx.params));
			}
		}
	},

	methods: {
		async newest(limit) {
			return (await this.pool.query(sql.NEWEST, [limit])).rows;
		},

		async find(search, limit) {
			const found = [];
			await this.pool.query(sql.IS_NAMED, [sql.wholeName(search)]);
			for (const statement of sql.SEARCHES) {
				const values = [sql.allWords(search), limit - found.length];
				found.push(...(await this.pool.query(statement, values)).rows);
				if (found.length === limit) break;
			}
			return found;
		},

		async hold(client, { order_id, items, expires_at }) {
			const now = new Date();
			const ids = items.map(item => item.product_id);
			const available = new Map(
				(await client.query(LOCK, [ids])).rows.map(row => [row.product_id, row.available])
			);
			if (items.some(item => item.quantity > (available.get(item.product_id) ?? 0)))
				throw new MoleculerClientError("Out of stock.", 409);
			await client.query(
				"INSERT INTO reservations (order_id, state, expires_at, created_at, updated_at)" +
					" VALUES ($1, 'reserved', $2, $3, $3)",
				[order_id, expires_at, now]
			);
			for (const { product_id, quantity } of items) {
				await client.query(
					"UPDATE stock SET reserved = reserved + $2, version = version + 1" +
						" WHERE product_id = $1",
					[product_id, quantity]
				);
				await client.query(
					"INSERT INTO reservation_lines (order_id, product_id, quantity, held_until)" +
						" VALUES ($1, $2, $3, $4)",
					[order_id, product_id, quantity, expires_at]
				);
				await client.query(
					"INSERT INTO movements" +
						" (product_id, kind, delta_on_hand, delta_reserved, order_id, reason, at)" +
						" VALUES ($1, 'reserve', 0, $2, $3, 'order placed', $4)",
					[product_id, quantity, order_id, now]
				);
			}
		}
	},

	created() {
		this.pool = connect("PRODUCTS_DSN");
	},

	stopped() {
		return this.pool.end();
	}
};
