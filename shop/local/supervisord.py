"""supervisord, as `shop run` starts it: `python -m shop.local.supervisord -c <file>`.

It differs from supervisord's own `main` in two points, without which the death of a child could end
the supervisor, and the shop with it (and in one more: what has died is started again at once):

- The socket from which the gateways accept is opened once. supervisord itself closes it when the
  last gateway has ended and binds it again for the next one; a child of any service that is between
  fork and exec at that moment still holds the old one, and the address is "already in use". With
  the socket open all the time, a client that connects meanwhile waits in its queue.
- An error around one child is logged, and the supervisor goes on with all the others.
"""

import os
import sys
import time
from contextlib import suppress
from typing import Any

from supervisor import supervisord
from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions
from supervisor.states import ProcessStates, SupervisorStates

#: Seconds between an error and the next turn, so that one that lasts takes no processor.
_PAUSE = 0.1
#: Signals that supervisord listens for: each one is noted once.
_SIGNALS = 6


class Supervisor(supervisord.Supervisor):
    """supervisord's, which outlives whatever happens to a child."""

    def __init__(self, options: ServerOptions):
        super().__init__(options)
        self._listening: list[Any] = []

    def add_process_group(self, config: Any) -> bool:
        """As supervisord's; keeps a use of the group's socket, which therefore stays open."""
        added = super().add_process_group(config)
        if manager := getattr(self.process_groups[config.name], "socket_manager", None):
            self._listening.append(manager.get_socket())
        return added

    def runforever(self) -> None:
        """Until the signal to end (`ExitNow`); an error costs a line in the log."""
        while True:
            try:
                super().runforever()
            except ExitNow:
                raise
            except Exception as error:
                self._recover(error)
            else:
                return

    def reap(self, once: bool = False, recursionguard: int = 0) -> None:
        """As supervisord's, which would start again what has died up to a second later."""
        super().reap(once, recursionguard)
        if recursionguard == 0:
            self._handle_signals()  # nothing is started again once the shop is to end
            for group in self.process_groups.values():
                group.transition()

    def handle_signal(self) -> None:
        """As supervisord's; at the end of the shop nobody waits for the gateways' socket."""
        super().handle_signal()
        if self.options.mood < SupervisorStates.RUNNING:
            self._listening.clear()

    def _handle_signals(self) -> None:
        """All that have come: a turn of supervisord's takes one, and SIGCHLD may be before it."""
        for _ in range(_SIGNALS):
            self.handle_signal()

    def _recover(self, error: Exception) -> None:
        with suppress(Exception):  # whoever reads the log may have gone
            line = f"supervisord goes on after {error!r}"
            self.options.logger.critical(line)
        time.sleep(_PAUSE)
        with suppress(Exception):
            self._forget_the_dead()
        with suppress(Exception):
            self._handle_signals()

    def _forget_the_dead(self) -> None:
        """A child that was collected before the error would count as running for ever."""
        for pid, process in list(self.options.pidhistory.items()):
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                del self.options.pidhistory[pid]
                self.options.close_parent_pipes(process.pipes)
                process.pid, process.pipes, process.dispatchers = 0, {}, {}
                process.killing = False
                process.change_state(ProcessStates.EXITED)
            except PermissionError:  # it lives, as another user
                continue


def main() -> None:
    """As supervisord's own: once, and again when it is told to reload."""
    first, mood = True, SupervisorStates.RESTARTING
    while first or mood == SupervisorStates.RESTARTING:
        options = ServerOptions()
        options.realize(doc=__doc__)
        options.first, options.test = first, False
        try:
            Supervisor(options).main()
        except ExitNow:
            pass
        except ValueError as error:  # somebody else has the gateways' address since it was checked
            sys.exit(f"supervisord: {error}")
        options.close_httpservers()
        options.close_logger()
        first, mood = False, options.mood


if __name__ == "__main__":
    main()
