"""How gunicorn finds the service of products."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["SERVICE"] = "products"
os.environ["DJANGO_SETTINGS_MODULE"] = "bench.peers.django_rest.settings"

application = get_wsgi_application()
