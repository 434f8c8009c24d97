from alembic import context

from chassis import migrations
from payments.models import Base

migrations.run(context, Base, "payments")
