"""A pytest plugin for one of several processes that share the files of a suite.

A process takes a file when it comes to it, by making a folder of that name, which only one of them
can; the tests of the files that others have taken are theirs. Every other process goes from the
last file to the first: the heavy ones stand at the end, and none runs beside another for long.
"""

import itertools
import os
import pathlib

import pytest

TAKEN = pathlib.Path(os.environ["SHARE_TAKEN"])
NUMBER = int(os.environ["SHARE_NUMBER"])

_mine = {}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Turn the order of the files, not that of the tests in them."""
    if NUMBER % 2:
        files = [list(tests) for _, tests in itertools.groupby(items, key=lambda item: item.path)]
        items[:] = itertools.chain.from_iterable(reversed(files))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    """True, which says that the test is dealt with, when another process has its file."""
    if item.path not in _mine:
        _mine[item.path] = _take(str(item.path.relative_to(item.config.rootpath)))
    return None if _mine[item.path] else True


def _take(file):
    try:
        (TAKEN / file.replace("/", "+")).mkdir()
    except FileExistsError:
        return False
    return True
