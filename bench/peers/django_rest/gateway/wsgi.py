"""How gunicorn finds the gateway."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["SERVICE"] = "gateway"
os.environ["DJANGO_SETTINGS_MODULE"] = "bench.peers.django_rest.settings"

application = get_wsgi_application()
