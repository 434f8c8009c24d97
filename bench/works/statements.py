"""What PostgreSQL alone does of a work: the limit that no program around it can pass."""

from functools import cache

from bench.limits import pgbench
from bench.measures import Series
from bench.run import Run


def limit(run: Run, script: str) -> dict[str, Series]:
    """One more contender, `pgbench`, with the statements of `product` or `checkout`; none in a
    short run."""
    if run.is_quick:
        return {}
    run.titles["pgbench"] = "limit: pgbench with the same statements"
    return {"pgbench": Series([_rates(run)[script]])}


@cache
def _rates(run: Run) -> dict[str, float]:
    run.show.doing("limits", "pgbench")
    run.rig.copies(run.template, "pgbench", ("products", "orders"))
    databases = run.rig.dsn("pgbench_products"), run.rig.dsn("pgbench_orders")
    return pgbench.measure(*databases, run.size.products, run.size.seconds)
