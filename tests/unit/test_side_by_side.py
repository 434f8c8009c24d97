"""`tests.side_by_side`: several processes do together what one would do."""

import collections
import os
import pathlib
import subprocess
import sys

import pytest

#: Two tests, of which each notes where it ran; the first waits until both processes have begun.
FILE = """
import os
import pathlib
import time

RAN = pathlib.Path(__file__).parent.with_name("ran")

def note(test):
    with RAN.open("a") as ran:
        ran.write(f"{__name__} {test} {os.getpid()}\\n")

def processes():
    return {line.split()[-1] for line in RAN.read_text().splitlines()}

def test_first():
    note("first")
    until = time.monotonic() + 60
    while len(processes()) < 2:
        assert time.monotonic() < until
        time.sleep(0.02)

def test_second():
    note("second")
"""


@pytest.mark.parametrize(
    ("failing", "measured"), [(None, ""), ("test_a.py", ""), ("test_c.py", "1")]
)
def test_each_test_runs_once_and_every_failure_counts(tmp_path, failing, measured):
    """Both processes have a part of the files, each file has one process, and what fails in either
    is seen and fails the whole."""
    for name in ("test_a.py", "test_b.py", "test_c.py"):
        (tmp_path / name[5]).mkdir()
        wrong = "def test_third():\n    assert 'this is' == 'wrong'" if name == failing else ""
        (tmp_path / name[5] / name).write_text(FILE + wrong)

    root = str(pathlib.Path.cwd())
    settings = {
        "PROCESSES": "2",
        "COVERAGE": measured,
        "PYTHONPATH": root,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # loading those of the shop takes seconds
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.side_by_side", "-p", "no:cacheprovider"],
        env=os.environ | settings,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )

    ran = [line.split() for line in (tmp_path / "ran").read_text().splitlines()]
    assert sorted(tuple(names) for *names, _ in ran) == [
        (file, test) for file in ("test_a", "test_b", "test_c") for test in ("first", "second")
    ]
    places = collections.defaultdict(set)
    for file, _, process in ran:
        places[file].add(process)
    assert [len(processes) for processes in places.values()] == [1, 1, 1]
    assert len(set.union(*places.values())) == 2
    assert done.returncode == (1 if failing else 0), done.stdout + done.stderr
    assert ("'this is' == 'wrong'" in done.stdout) == bool(failing)
    assert len(list(tmp_path.glob(".coverage.*"))) == (2 if measured else 0)
