"""Does a search find what people look for: recall and rank for each kind of query."""

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench import quality
from bench.measures import Goal, Record, Table
from bench.run import Run
from chassis import config as configuration
from shop.migrate import migrate

_DATABASE = "quality"


def measure(run: Run) -> list[Record]:
    """The sample catalog and some awkward names, searched as shoppers do; no contender."""
    run.show.doing("search-quality", "asking what shoppers type")
    run.rig.rows("postgres", f"DROP DATABASE IF EXISTS {_DATABASE}_products WITH (FORCE)")
    config = {"DATABASE_URL": run.rig.dsn(_DATABASE)}
    migrate(config, ("products",))
    engine = create_engine(configuration.database_url(config, "products"))
    with Session(engine) as session, session.begin():
        quality.fill(session)
    with engine.connect() as connection:
        outcomes = quality.ask(connection)
    engine.dispose()
    recall, rank = quality.recall(outcomes), quality.mean_reciprocal_rank(outcomes)
    goals = [
        Goal("of what they must find, among the first ten", recall * 100, 99, unit="%"),
        Goal("mean reciprocal rank", rank * 100, 97, unit="%"),
    ]
    return [
        Record(
            "search-quality",
            f"what {len(outcomes)} queries find",
            unit="",
            goals=goals,
            notes=[
                f"“{each.query}” should find {', '.join(each.wanted)}, found"
                f" {', '.join(each.found) or 'nothing'}."
                for each in outcomes
                if each.recall < 1
            ],
            table=Table(["kind of query", "queries", "recall", "reciprocal rank"], _rows(outcomes)),
        )
    ]


def _rows(outcomes: list[quality.Outcome]) -> list[list[str]]:
    kinds: dict[str, list[quality.Outcome]] = {}
    for each in outcomes:
        kinds.setdefault(each.kind, []).append(each)
    return [
        [
            kind,
            str(len(found)),
            f"{quality.recall(found):.3f}",
            f"{quality.mean_reciprocal_rank(found):.3f}",
        ]
        for kind, found in kinds.items()
    ]
