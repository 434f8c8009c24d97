"""Django REST framework services that call each other by HTTP with requests.

Follows the documentation of Django (unmanaged models over tables that are there, the connection
pool of psycopg, `transaction.atomic`, deployment with gunicorn), of Django REST framework (generic
views, serializers, authentication and exception handler of one's own) and of requests (a `Session`
that keeps connections).
"""
