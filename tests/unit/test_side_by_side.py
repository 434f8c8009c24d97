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

    done = side_by_side(tmp_path, PROCESSES="2", COVERAGE=measured)

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


#: Two tests; the first waits until all three processes have begun, and those that stand at the end
#: of a folder until the file in between has.
IN_FOLDERS = FILE.replace(
    "len(processes()) < 2",
    "len(processes()) < 3"
    ' or __name__ in ("a.test_b", "b.test_d") and "test_c" not in RAN.read_text()',
)


def test_what_a_folder_shares_ends_with_the_last_file_that_a_process_has_of_it(tmp_path):
    """The next file of the folder is another's, and the next of ours is in another folder."""
    for name in ("a/test_a.py", "a/test_b.py", "b/test_c.py", "b/test_d.py"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(IN_FOLDERS)
    for folder in "ab":
        (tmp_path / folder / "__init__.py").touch()
        (tmp_path / folder / "conftest.py").write_text(SHARED)
    done = side_by_side(tmp_path, PROCESSES="3")
    assert done.returncode == 0, done.stdout + done.stderr


#: A test that fails so often.
FAILS = """
import pathlib

RAN = pathlib.Path(__file__).with_name("runs")

def test_unstable():
    with RAN.open("a") as ran:
        ran.write("x")
    assert len(RAN.read_text()) > {times}
"""


@pytest.mark.parametrize(
    ("times", "again", "status"), [(1, "1", 0), (2, "1", 1), (1, "0", 1), (0, "1", 0)]
)
def test_a_few_that_failed_may_run_again_alone(tmp_path, times, again, status):
    """Once; those that pass then are named, and a test that fails again fails the whole."""
    (tmp_path / "test_a.py").write_text(FAILS.format(times=times))
    done = side_by_side(tmp_path, PROCESSES="2", AGAIN=again)
    assert done.returncode == status, done.stdout + done.stderr
    assert ("UNSTABLE" in done.stdout) == (times == 1 and status == 0)


def test_a_process_that_dies_is_no_test_that_failed(tmp_path):
    """Its other tests have not run: nothing that passes alone makes up for them."""
    (tmp_path / "test_a.py").write_text(FAILS.format(times=1))
    (tmp_path / "test_b.py").write_text("import os\n\ndef test_dies():\n    os._exit(1)\n")
    done = side_by_side(tmp_path, PROCESSES="2", AGAIN="1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "did not come to their end" in done.stdout


SHARED = """
import pytest

@pytest.fixture(scope="package", autouse=True)
def shared():
    yield
"""


def side_by_side(folder, **settings):
    """What running the tests in that folder comes to."""
    inherited = os.environ | {
        "PYTHONPATH": str(pathlib.Path.cwd()),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # loading those of the shop takes seconds
    }
    return subprocess.run(
        [sys.executable, "-m", "tests.side_by_side", "-p", "no:cacheprovider"],
        env=inherited | settings,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
