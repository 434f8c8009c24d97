from alembic import context

from chassis import migrations
from users.models import Base

migrations.run(context, Base, "users")
