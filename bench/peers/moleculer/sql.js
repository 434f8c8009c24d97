"use strict";

// The statements of the shop itself; bench/peers/common/sql.py has them for the Python peers.

const SHOWN = `
	p.id, p.sku, p.name, p.description, p.price, p.currency, p.category_id, p.images,
	p.attributes,
	CASE WHEN s.reserved = 0 THEN s.on_hand
	ELSE s.on_hand - s.reserved + (
		SELECT coalesce(sum(l.quantity), 0) FROM reservation_lines l
		WHERE l.product_id = s.product_id AND l.held_until <= now()
	) END AS available,
	p.created_at, p.updated_at, p.version
`;

const BY_ID = `
	SELECT ${SHOWN} FROM products p JOIN stock s ON s.product_id = p.id
	WHERE p.deleted_at IS NULL AND p.id = $1
`;

const NEWEST = `
	SELECT ${SHOWN} FROM products p JOIN stock s ON s.product_id = p.id
	JOIN (
		SELECT created_at, id FROM products WHERE deleted_at IS NULL
		ORDER BY created_at DESC, id DESC LIMIT $1
	) page ON page.id = p.id
	WHERE p.deleted_at IS NULL ORDER BY page.created_at DESC, page.id DESC
`;

const IS_NAMED = `
	WITH named AS MATERIALIZED (
		SELECT id FROM products WHERE deleted_at IS NULL AND title @@ CAST($1 AS tsquery)
	)
	SELECT EXISTS (SELECT FROM named)
`;

const SEARCHES = [
	"title @@ to_tsquery('english', $1)",
	"document @@ to_tsquery('english', $1) AND NOT title @@ to_tsquery('english', $1)"
].map(
	tier => `
	WITH found AS MATERIALIZED (
		SELECT created_at, id FROM products WHERE deleted_at IS NULL AND ${tier}
		ORDER BY created_at DESC, id DESC LIMIT 1000
	)
	SELECT ${SHOWN} FROM products p JOIN stock s ON s.product_id = p.id
	JOIN (
		SELECT created_at, id FROM found ORDER BY created_at DESC, id DESC LIMIT $2
	) page ON page.id = p.id
	WHERE p.deleted_at IS NULL ORDER BY page.created_at DESC, page.id DESC
`
);

const quoted = word => word.replaceAll("\\", "\\\\").replaceAll("'", "''");

/** What somebody typed as the term of a whole name. */
function wholeName(typed) {
	return `'=${quoted(typed.trim().toLowerCase().split(/\s+/).join(" "))}'`;
}

/** What somebody typed as text for to_tsquery: all of its words, eight at most. */
function allWords(typed) {
	const words = typed.trim().split(/\s+/).slice(0, 8);
	return words.map(word => `'${quoted(word)}'`).join(" & ");
}

module.exports = { BY_ID, NEWEST, IS_NAMED, SEARCHES, wholeName, allWords };
