"""The same shop at its leanest: prices and stock are one call, and nothing is written that an
answer could do without.

Inventory takes the pieces and says what they cost in one transaction; orders writes order, lines
and outbox row in another. There is no ledger of stock and no timeline. Everything but orders is
that of `fastapi_httpx`.
"""
