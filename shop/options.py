"""What the commands of `shop` take, and how they say that they can't tell."""

import datetime
from typing import Any

import click


class CannotTell(click.ClickException):
    """The answer is neither yes nor no: what has to be asked is away."""

    exit_code = 2

    def __init__(self, what: str, error: object = None):
        """`what` is in the way, by `error`, of which the first line is shown."""
        if error is None:
            super().__init__(what)
            return
        why = str(error).strip() or type(error).__name__
        super().__init__(f"{what}: {why.splitlines()[0]}")


class WrongSetting(CannotTell):
    """What the environment or config.yaml says makes no sense."""

    def __init__(self, error: object):
        super().__init__("a setting is wrong", error)


class Moment(click.ParamType):
    """A time in ISO 8601, in UTC unless it says otherwise."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime.datetime:
        try:
            moment = datetime.datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time such as 2031-03-01 or 2031-03-01T14:30.", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
