"""What the services say to each other: each request, answer, event and error is written here once.

A folder per Nameko service, with the same files in each:

    enums.py      the words that a field may have
    errors.py     faults that callers can tell apart, by their codes
    requests.py   schemas of the arguments of each RPC method
    answers.py    schemas of what each RPC method answers
    events.py     schemas of what is published, by event type
    interface.py  the RPC methods as a typed Protocol, for who calls them

A service loads its requests and dumps its answers and events by these schemas, callers and handlers
read them by the same ones, with unknown fields excluded (tolerant reader,
https://martinfowler.com/bliki/TolerantReader.html), and the gateway derives from them what clients
send and get. During a rolling restart old and new processes stand beside each other: a new field is
optional for its readers (`load_default`), and an old one goes one release after its last reader.

Nothing here imports a service; the rules about a form (a SKU, a password) that both ends need are
here, too.
"""
