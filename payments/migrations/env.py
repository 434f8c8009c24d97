from alembic import context

from chassis import migrations
from payments.providers.simulator.models import Base  # and with it all tables

migrations.run(context, Base, "payments")
