"""The table that speed means nothing without: what is left of orders when processes are killed.

The same script for the shop and for peers: buyers order, repeating whatever got no answer, while
`kill -9` takes the gateway, a service, the broker and the database in turn; then the books are
compared with what the buyers were told. Everybody has the shop's tables, with the constraints that
keep stock from being reserved twice over.
"""
