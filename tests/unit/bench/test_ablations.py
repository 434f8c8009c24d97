"""What each shortcut is worth, of figures that were made up; and that each can be taken out."""

import subprocess
import sys

from bench.ablations import ABLATIONS, Ablation, Path
from bench.measures import Series
from bench.works import ablations
from shop.local.place import ROOT

_TAKE_OUT = (
    "import sys; from bench.ablations.without import take_out; [*map(take_out, sys.argv[1:])]"
)


def test_each_can_be_taken_out():
    """What stands in for it replaces something that is there."""
    command = [sys.executable, "-W", "ignore", "-c", _TAKE_OUT, *ABLATIONS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_each_is_walked():
    """All paths are known, and all files are there."""
    for ablation in ABLATIONS.values():
        assert {path.name for path in ablation.paths} <= ablations._WALKS.keys()
        assert (ROOT / ablation.code).is_file()


def series(*costs):
    return Series([1 / sum(each.values()) for each in costs], costs=list(costs))


def test_what_it_saves_on_its_best_path_decides():
    """By processor time, round by round, of the processes that are asked about."""
    found = {
        "read": (series({"a": 1.0, "b": 1.0}), series({"a": 1.2, "b": 0.9})),
        "write": (
            series({"a": 2.0}, {"a": 4.0}, {"a": 1.0}),
            series({"a": 2}, {"a": 6}, {"a": 1.05}),
        ),
    }
    of_all, of_a, write = (Path("read"), Path("read", ("a",)), Path("write"))

    def rows(*paths):
        return list(ablations._rows(Ablation("it", "it.py", paths), found))

    assert rows(of_all)[0][2:] == ["2,000", "1.05", "1.05 – 1.05", "0.95", "goes"]
    assert [row[3:] for row in rows(of_all, of_a)] == [
        ["1.05", "1.05 – 1.05", "0.95", "stays"],
        ["1.20", "1.20 – 1.20", "0.95", "stays"],
    ]
    assert rows(write)[0][3:] == ["1.05", "1.00 – 1.50", "0.95", "goes"]
