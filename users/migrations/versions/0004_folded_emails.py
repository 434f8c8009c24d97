"""E-mail addresses in the form in which they are looked for.

Those from before addresses were kept in ASCII may have an international domain. When somebody else
has the folded form already, the address stays as it is and is logged by its user's id.
"""

import unicodedata
from logging import getLogger

import idna
import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

log = getLogger("alembic.runtime.migration")

_UNFOLDED = sa.text(
    "SELECT id, email FROM users WHERE email ~ '[^ -~]'"
    " OR split_part(email, '@', 2) <> lower(split_part(email, '@', 2)) ORDER BY created_at, id"
)
_TAKEN = sa.text("SELECT 1 FROM users WHERE lower(email) = lower(:email) AND id <> :id")
_FOLD = sa.text("UPDATE users SET email = :email WHERE id = :id")


def upgrade() -> None:
    connection = op.get_bind()
    for user_id, email in connection.execute(_UNFOLDED).all():
        folded = _folded(email)
        if folded == email:
            continue
        values = {"id": user_id, "email": folded}
        if len(folded) > 254 or connection.execute(_TAKEN, values).first():
            log.warning("the e-mail address of user %s is left as it is: see 0004", user_id)
        else:
            connection.execute(_FOLD, values)


def downgrade() -> None:
    """Folded addresses are the same addresses."""


def _folded(email: str) -> str:
    usual = unicodedata.normalize("NFKC", email).replace("\u3002", ".")
    local, _, domain = usual.rpartition("@")
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except (idna.IDNAError, UnicodeError):
        return email
