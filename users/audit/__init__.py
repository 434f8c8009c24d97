"""The audit trail: who did what to whom or to which thing, from where, in which request.

An entry is written in the transaction of what it tells, so one exists if and only if that happened.
What staff do in another service comes as an event of that one's transaction (`chassis.staff`).
Nothing changes an entry; triggers refuse it. None goes before `LEAST_RETENTION` is over: until then
the database refuses that too. No name, address or secret is in an entry: people are ids.
"""
