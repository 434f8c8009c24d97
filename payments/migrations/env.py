from alembic import context

import payments.providers.simulator.models  # noqa: F401 -- its tables are of `Base`, too
from chassis import migrations
from payments.models import Base

migrations.run(context, Base, "payments")
