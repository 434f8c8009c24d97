"""What goes with a person."""

from users import erasure
from users.models import Base, LoginSession, User


def test_no_table_about_a_user_is_left_out():
    """Whatever refers to a user is deleted with the person, or ends with the sessions."""
    about = {
        mapper.class_
        for mapper in Base.registry.mappers
        for key in mapper.local_table.foreign_keys
        if key.references(User.__table__)
    }

    assert about == {*erasure.PERSONAL, LoginSession}
