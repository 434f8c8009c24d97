from alembic import context

from chassis import migrations
from products.models import Base

migrations.run(context, Base, "products")
