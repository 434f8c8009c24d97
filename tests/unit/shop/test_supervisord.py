"""What happens to supervisord when something fails around one child."""

import os
import subprocess
import types

import pytest
from supervisor import supervisord
from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.states import ProcessStates, SupervisorStates

from shop.local.supervisord import Supervisor


class Child:
    """A process as supervisord knows it."""

    pipes, dispatchers, killing = {}, {}, False

    def __init__(self, pid):
        self.pid, self.state = pid, ProcessStates.RUNNING

    def change_state(self, state):
        self.state = state


@pytest.fixture
def supervisor(monkeypatch):
    """One whose turns are `turns`, each an error; then it is told to end."""
    monkeypatch.setattr("shop.local.supervisord._PAUSE", 0)
    options = types.SimpleNamespace(
        mood=SupervisorStates.RUNNING,
        pidhistory={},
        get_signal=lambda: None,
        close_parent_pipes=lambda pipes: None,
        logger=types.SimpleNamespace(critical=lambda line: options.lines.append(line)),
        lines=[],
    )
    supervisor = Supervisor(options)
    supervisor.turns = []

    def turn(self):
        raise self.turns.pop(0) if self.turns else ExitNow

    monkeypatch.setattr(supervisord.Supervisor, "runforever", turn)
    return supervisor


def test_goes_on_after_an_error(supervisor):
    """It costs a line; only the signal to end ends it."""
    supervisor.turns = [OSError(98, "Address already in use"), AssertionError("no such state")]
    with pytest.raises(ExitNow):
        supervisor.runforever()
    assert [("in use" in line, "state" in line) for line in supervisor.options.lines] == [
        (True, False),
        (False, True),
    ]


def test_goes_on_when_nobody_reads_the_log(supervisor):
    """Then the error can't be told either."""

    def broken(line):
        raise BrokenPipeError

    supervisor.options.logger.critical = broken
    supervisor.turns = [BrokenPipeError()]
    with pytest.raises(ExitNow):
        supervisor.runforever()


def test_hears_the_signal_to_end_amid_errors(supervisor):
    """An error that lasts does not make it deaf."""
    supervisor.options.get_signal = lambda: 15
    supervisor.options.logger.warn = lambda line: None
    supervisor.turns = [RuntimeError()]
    with pytest.raises(ExitNow):
        supervisor.runforever()
    assert supervisor.options.mood == SupervisorStates.SHUTDOWN


def test_who_died_before_the_error_is_started_again(supervisor):
    """Otherwise it would count as running for ever; who lives is left alone."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    dead, alive = Child(gone.pid), Child(os.getpid())
    supervisor.options.pidhistory = {child.pid: child for child in (dead, alive)}
    supervisor.turns = [AssertionError()]
    with pytest.raises(ExitNow):
        supervisor.runforever()
    assert (dead.pid, dead.state) == (0, ProcessStates.EXITED)
    assert (alive.pid, alive.state) == (os.getpid(), ProcessStates.RUNNING)
    assert supervisor.options.pidhistory == {alive.pid: alive}
