"""Settings of all three services; which of them this is, its wsgi.py says in SERVICE."""

import os
from urllib.parse import urlsplit

SERVICE = os.environ["SERVICE"]

SECRET_KEY = os.urandom(32).hex()  # nothing is signed with it
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = f"bench.peers.django_rest.{SERVICE}.urls"
INSTALLED_APPS = ["rest_framework", f"bench.peers.django_rest.{SERVICE}"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
USE_TZ = True
TIME_ZONE = "UTC"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PRODUCTS_URL = f"http://127.0.0.1:{os.environ['PRODUCTS_PORT']}"
ORDERS_URL = f"http://127.0.0.1:{os.environ['ORDERS_PORT']}"

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "EXCEPTION_HANDLER": "bench.peers.django_rest.errors.handle",
}


def _database(dsn):
    parts = urlsplit(dsn)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": parts.hostname,
        "PORT": parts.port,
        "USER": parts.username,
        "PASSWORD": parts.password or "",
        "NAME": parts.path.removeprefix("/"),
        "OPTIONS": {"pool": {"min_size": 4, "max_size": 16}},
    }


if SERVICE != "gateway":
    DATABASES = {"default": _database(os.environ[f"{SERVICE.upper()}_DSN"])}
