"use strict";

// Moleculer services over its AMQP transporter. Follows the documentation of Moleculer (services with
// `params`, the runner with a configuration file), of moleculer-web (aliases, `authenticate`), of
// node-postgres (a pool, a transaction on one client) and of jose (`createLocalJWKSet`).

module.exports = {
	transporter: {
		type: "AMQP",
		options: {
			url: process.env.AMQP_URI,
			// The default is one request at a time.
			prefetch: 32,
			// Without it each message waits for the acknowledgement of the one before, some 40 ms.
			socketOptions: { noDelay: true }
		}
	},
	logLevel: "warn",
	requestTimeout: 5000
};
