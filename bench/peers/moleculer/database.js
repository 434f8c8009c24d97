"use strict";

const pg = require("pg");

// bigint: none of ours is beyond what a number holds exactly.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** A pool of connections to the database that this variable of the environment names. */
function connect(variable) {
	return new pg.Pool({ connectionString: process.env[variable], max: 16 });
}

/** Runs `work(client)` in a transaction. */
async function transaction(pool, work) {
	const client = await pool.connect();
	try {
		await client.query("BEGIN");
		const answer = await work(client);
		await client.query("COMMIT");
		return answer;
	} catch (error) {
		await client.query("ROLLBACK");
		throw error;
	} finally {
		client.release();
	}
}

module.exports = { connect, transaction };
