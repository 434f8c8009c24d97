"use strict";

const ApiGateway = require("moleculer-web");
const { UnAuthorizedError } = ApiGateway.Errors;

/** The public door. */
module.exports = {
	name: "gateway",
	mixins: [ApiGateway],

	settings: {
		ip: "127.0.0.1",
		port: Number(process.env.HTTP_PORT),
		routes: [
			{
				path: "/api/orders",
				authentication: true,
				bodyParsers: { json: true },
				aliases: { "POST /": "orders.place" }
			},
			{
				path: "/",
				aliases: {
					"GET /ping/:n": "products.ping",
					"GET /api/products": "products.list",
					"GET /api/products/:id": "products.get",
					"GET /readyz": "gateway.ready"
				}
			}
		]
	},

	actions: {
		async ready(ctx) {
			await ctx.call("products.ready");
			await ctx.call("orders.ready");
			return { ready: true };
		}
	},

	methods: {
		/** Whom the access token names. */
		async authenticate(ctx, route, req) {
			const [kind, token] = (req.headers.authorization ?? "").split(" ");
			if (kind !== "Bearer") throw new UnAuthorizedError("NO_TOKEN");
			try {
				const { payload } = await this.jose.jwtVerify(token, this.keys, {
					algorithms: ["EdDSA"],
					issuer: process.env.TOKEN_ISSUER,
					audience: process.env.TOKEN_AUDIENCE,
					requiredClaims: ["exp", "sub", "role"]
				});
				return { id: payload.sub };
			} catch {
				throw new UnAuthorizedError("INVALID_TOKEN");
			}
		}
	},

	async started() {
		this.jose = await import("jose");
		this.keys = this.jose.createLocalJWKSet(JSON.parse(process.env.TOKEN_KEYS));
	}
};
