"""`shop dead-letters list|show|replay|drop`."""

import datetime
import json
import sys
from typing import Any

import click

from shop.operate.broker import connected
from shop.operate.dead_letters import box
from shop.operate.dead_letters import show as shown
from shop.operate.dead_letters.replay import Replay
from shop.operate.dead_letters.selection import Selection, filter_options, id_option
from shop.operate.formatting import count
from shop.operate.settings import as_json, setting
from shop.packages import load_services

_LIMIT = click.IntRange(min=1, max=100_000)


def _limit(default: int, what: str) -> Any:
    return click.option("--limit", type=_LIMIT, default=default, show_default=True, help=what)


@click.group("dead-letters")
def dead_letters() -> None:
    """See, put back or drop the events that could not be handled.

    An event that has failed six times, over 13 minutes, is parked in the queue
    <service>.dead-letters, as is a message that is no event. Nothing is lost by waiting: find the
    cause in that service's log, mend it, then replay.

    \b
        shop dead-letters list --queue notifications
        shop dead-letters show 0f51…
        shop dead-letters replay --event order_paid --dry-run
        shop dead-letters replay --event order_paid
    """


@dead_letters.command("list")
@filter_options
@id_option
@_limit(50, "Letters to list.")
@as_json
def list_(limit: int, as_json: bool, **requested: Any) -> None:
    """List dead letters, the oldest of each queue first."""
    selection, boxes, now = _selection(requested)
    letters: list[dict[str, Any]] = []
    found = 0

    def note(channel: Any, letter: Any) -> bool:
        nonlocal found
        if selection.matches(letter, now):
            found += 1
            if len(letters) < limit:
                letters.append(letter.told(now))
        return False

    with connected(setting("AMQP_URI")) as connection:
        queues = box.counts(connection, boxes)
        for queue in queues:
            box.sift(connection, queue, note)
    if as_json:
        _print({"queues": queues, "letters": letters, "more": found - len(letters)})
    else:
        shown.letters(letters)
        click.echo(_summary(queues, found - len(letters)))


@dead_letters.command()
@click.argument("id_", metavar="ID")
@as_json
def show(id_: str, as_json: bool) -> None:
    """Show one dead letter with its payload.

    Events hold no personal data. What is no event, such as a call, may: its content is not shown.
    """
    selection, boxes, now = _selection({"ids": (id_,)})
    found: list[dict[str, Any]] = []

    def note(channel: Any, letter: Any) -> bool:
        if selection.matches(letter, now):
            found.append(letter.told_in_full(now))
        return False

    with connected(setting("AMQP_URI")) as connection:
        for queue in box.counts(connection, boxes):
            box.sift(connection, queue, note)
    if not found:
        raise click.ClickException(f"no dead letter has the id {id_}; `shop dead-letters list`")
    if as_json:
        _print(found)
    else:
        for letter in found:
            shown.letter(letter)


@dead_letters.command()
@filter_options
@id_option
@_limit(100, "Letters to put back at most.")
@click.option("--dry-run", is_flag=True, help="Say what would be put back, and do nothing.")
@click.option("--even-old", is_flag=True, help="Also those that handlers may have forgotten.")
@as_json
def replay(limit: int, dry_run: bool, even_old: bool, as_json: bool, **requested: Any) -> None:
    """Put dead letters back into the queues of their handlers, in their order.

    Each leaves the dead letters only when RabbitMQ has confirmed its copy; interrupted, or run
    twice, it does no harm, for handlers know the events they have handled. What fails again is
    parked again. Fails when something that was asked for could not be put back.
    """
    selection, boxes, now = _selection(requested)
    run = Replay(selection, limit, now, is_dry=dry_run, even_old=even_old)
    try:
        with connected(setting("AMQP_URI")) as connection:
            run.run(connection, list(box.counts(connection, boxes)))
    except click.ClickException:
        click.echo(f"{count(len(run.replayed), 'letter')} put back before that", err=True)
        raise
    if as_json:
        _print(run.report())
    else:
        shown.replay(run)
    sys.exit(bool(run.left))


@dead_letters.command()
@filter_options
@id_option
@_limit(100, "Letters to drop at most.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
def drop(limit: int, yes: bool, as_json: bool, **requested: Any) -> None:
    """Drop dead letters for good: what they tell of will never be handled.

    Asks first. What is parked after the question is not touched.
    """
    selection, boxes, now = _selection(requested)
    chosen: dict[tuple[str, str], dict[str, Any]] = {}
    gone: list[dict[str, Any]] = []

    def choose(channel: Any, letter: Any) -> bool:
        if selection.matches(letter, now) and len(chosen) < limit:
            chosen[letter.queue, letter.id] = letter.told(now)
        return False

    def end(channel: Any, letter: Any) -> bool:
        is_chosen = (letter.queue, letter.id) in chosen and selection.matches(letter, now)
        if is_chosen:
            gone.append(letter.told(now))
        return is_chosen

    # Two connections, for one would have timed out while its operator thinks.
    with connected(setting("AMQP_URI")) as connection:
        for queue in box.counts(connection, boxes):
            box.sift(connection, queue, choose)
    if chosen and not yes:
        shown.letters(list(chosen.values()), err=True)
        click.confirm(f"Drop {count(len(chosen), 'letter')} for good?", abort=True, err=True)
    if chosen:
        with connected(setting("AMQP_URI")) as connection:
            for queue in dict.fromkeys(queue for queue, _ in chosen):
                box.sift(connection, queue, end)
    if as_json:
        _print({"dropped": gone})
    else:
        click.echo(f"{count(len(gone), 'letter')} dropped")


def _selection(requested: dict[str, Any]) -> tuple[Selection, list[str], datetime.datetime]:
    """What is selected, the queues that it may be in, and the moment by which ages count."""
    selection = Selection(**requested)
    boxes = selection.boxes([service.name for service in load_services()])
    return selection, boxes, datetime.datetime.now(datetime.UTC)


def _summary(queues: dict[str, int], more: int) -> str:
    lying = ", ".join(f"{number} in {queue}" for queue, number in queues.items() if number)
    rest = f"{more} more match: raise --limit. " if more else ""
    return rest + (f"dead letters: {lying}" if lying else "no dead letters")


def _print(answer: Any) -> None:
    click.echo(json.dumps(answer, indent=2))
