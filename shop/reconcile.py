"""`shop reconcile`: does the ledger agree with the books of the payment providers?"""

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from amqp import AMQPError
from nameko.exceptions import RemoteError, RpcTimeout, UnknownService
from nameko.standalone.rpc import ClusterRpcProxy
from rich.table import Table

from shop.operate.broker import stock_settings
from shop.operate.calls import SYSTEM
from shop.options import CannotTell

#: Seconds for the whole comparison: a provider lists a hundred movements at a time.
TIMEOUT = 600
#: The longest time that is compared at once.
MAX_SPAN = datetime.timedelta(days=31)


def ask(amqp_uri: str, since: datetime.datetime, until: datetime.datetime) -> dict[str, Any]:
    """The report of `payments` (`contracts.payments.answers.Report`); raises `CannotTell`."""
    try:
        with ClusterRpcProxy(stock_settings(amqp_uri), timeout=TIMEOUT) as rpc:
            return rpc.payments.reconcile(
                since=since.isoformat(), until=until.isoformat(), actor=SYSTEM
            )
    except (OSError, AMQPError, RpcTimeout, UnknownService) as away:
        raise CannotTell("the shop does not answer", away) from None
    except RemoteError as refused:
        raise CannotTell("payments can't tell", refused.value) from None


def table(report: Mapping[str, Any]) -> Table:
    """Each problem with how often it was found, and what to do."""
    shown = Table()
    shown.add_column("problem", no_wrap=True)
    shown.add_column("findings", justify="right")
    shown.add_column("what to do")
    advice = {finding["problem"]: finding["advice"] for finding in report["findings"]}
    counts = Counter(finding["problem"] for finding in report["findings"])
    for problem, count in counts.items():
        shown.add_row(problem, f"[bold red]{count}[/]", advice[problem])
    return shown


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """A line for each finding, and one in the end that counts them."""
    for finding in report["findings"]:
        names = [
            f"{name.removesuffix('_id')} {finding[name]}"
            for name in ("order_id", "payment_id", "refund_id", "charge", "reference")
            if finding[name] and not (name == "reference" and finding["charge"] == finding[name])
        ]
        sums = f"ours {_sum(finding['ours'])}, theirs {_sum(finding['theirs'])}"
        yield f"{finding['problem']}: {finding['provider']}: {', '.join([*names, sums])}"
    if report["more"]:
        yield f"and {report['more']} more, which are not listed"
    findings = _count(len(report["findings"]) + report["more"], "finding")
    movements = _count(report["movements"], "movement")
    yield f"{findings} in {movements} from {report['since']} to {report['until']}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _sum(found: Mapping[str, str] | None) -> str:
    return f"{found['amount']} {found['currency']}" if found else "nothing"
