from alembic import context

from chassis import migrations
from orders.models import Base

migrations.run(context, Base, "orders")
