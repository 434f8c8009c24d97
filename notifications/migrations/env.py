from alembic import context

from chassis import migrations
from notifications.models import Base

migrations.run(context, Base, "notifications")
