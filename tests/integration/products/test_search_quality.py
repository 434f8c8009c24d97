"""What shoppers type finds what they look for."""

import pytest
from sqlalchemy.orm import Session

from bench import quality


@pytest.fixture
def outcomes(engine):
    """What each of the bench's queries finds."""
    with Session(engine) as session, session.begin():
        quality.fill(session)
    with engine.connect() as connection:
        return quality.ask(connection)


def test_queries_of_shoppers_find_their_products(outcomes):
    """Nearly all among the first ten, mostly in the first place, for each kind of query."""
    missed = {each.query: each.found for each in outcomes if each.recall < 1}
    assert quality.recall(outcomes) >= 0.99, missed
    assert quality.mean_reciprocal_rank(outcomes) >= 0.97, missed
    kinds = {each.kind for each in outcomes}
    for kind in kinds:
        of_kind = [each for each in outcomes if each.kind == kind]
        assert quality.recall(of_kind) >= 0.9, (kind, missed)
