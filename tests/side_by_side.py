"""Runs pytest in several processes at once, each with a share of the files.

`python -m tests.side_by_side [what pytest takes]`, in PROCESSES if that is set; with COVERAGE set,
each measures and leaves a file to combine. They need not know each other's fixtures, for each is a
session with a vhost and databases of its own. pytest-xdist cannot do it: the thread that brings a
worker its tests does not survive eventlet's patching.

With AGAIN=3, up to three tests that fail are run once more when nothing else runs; those that pass
then are named as unstable and fail nothing. A change is not to wait for a machine that was busy,
but each of them is a fault, of a test or of what it tests: mend it.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import pytest

#: Each may have a broker and a database server of its own.
MOST = 4
COVERAGE = ("-m", "coverage", "run", "--parallel-mode")
#: Where no Python runs any more, the timeout of a test ends nothing: then the process says where it
#: stands, and dies. No test that is not marked `long` may take so many seconds.
HUNG = ("-o", "faulthandler_timeout=900", "-o", "faulthandler_exit_on_timeout=true")
#: How far one process is among all the tests says nothing, so there are no percentages.
PYTEST = ("-m", "pytest", *HUNG, "-p", "tests.share", "-o", "console_output_style=classic")


def main(arguments):
    """The highest of their exit statuses. The first is seen at work, the others when it is done."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        running = [_start(number, folder, arguments) for number in range(_processes())]
        status = max(_outcome(process, output) for process, output in running)
        if len(list(folder.glob("ended*"))) < len(running):
            sys.stdout.write("\nSome of the processes did not come to their end.\n")
            return status or pytest.ExitCode.INTERNAL_ERROR
        return _again(folder) if status == pytest.ExitCode.TESTS_FAILED else status


def _again(folder):
    """Of the tests that failed: the exit status of them alone, if they are few enough."""
    failed = sorted(set((folder / "failed").read_text().splitlines()))
    if len(failed) > int(os.environ.get("AGAIN") or 0):
        return pytest.ExitCode.TESTS_FAILED
    alone = [sys.executable, "-m", "pytest", *HUNG, "-p", "no:cacheprovider", *failed]
    status = subprocess.run(alone, check=False).returncode
    if status == pytest.ExitCode.OK:
        sys.stdout.write("\nUNSTABLE, they failed beside others and passed alone; mend them:\n")
        sys.stdout.writelines(f"  {name}\n" for name in failed)
    return status


def _processes():
    """One more than there are processors, for tests wait more than they work."""
    return int(os.environ.get("PROCESSES") or min(MOST, (os.cpu_count() or 1) + 1))


def _start(number, folder, arguments):
    """A process and where it writes to; None is the terminal."""
    output = (folder / f"output{number}").open("w+") if number else None
    environment = os.environ | {"SHARE_TAKEN": str(folder), "SHARE_NUMBER": str(number)}
    measure = COVERAGE if os.environ.get("COVERAGE") else ()
    process = subprocess.Popen(
        [sys.executable, *measure, *PYTEST, *arguments],
        env=environment,
        stdout=output,
        stderr=output,
    )
    return process, output


def _outcome(process, output):
    """Its exit status; one that a signal ended has failed, too."""
    while True:
        try:
            status = process.wait()
            break
        except KeyboardInterrupt:  # reached it as well: its fixtures end what they have started
            continue
    if output:
        output.seek(0)
        sys.stdout.write(output.read())
    return abs(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
