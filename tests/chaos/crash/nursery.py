"""Bears the processes of a service that are to die: `python -m tests.chaos.crash.nursery orders`.

Each line that it reads has it fork a process that is the service from then on, as one that
`shop.local.service` has begun. It answers with the pid and, when that process has ended, with its
status. All of them share what it has loaded, which takes a second and a half of a processor.
"""

import os
import sys
from os import fork, waitpid  # as they are before eventlet patches them

from shop.local import service


def main() -> None:
    (package,) = sys.argv[1:]
    service.load(package)
    for _ in sys.stdin:
        pid = fork()
        if not pid:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(2, 1)
            return service.serve(package)
        _tell(pid)
        _, status = waitpid(pid, 0)
        _tell(os.waitstatus_to_exitcode(status))


def _tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
