"""The shapes of requests and answers at the door.

Requests: types, bounds, no unknown fields; what the values mean is the services' to judge.
Answers: the resources of the REST contract, which the tests hold every answer against.
"""
