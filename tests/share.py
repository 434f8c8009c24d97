"""A pytest plugin for one of several processes that share the files of a suite.

A process takes a file when it comes to it, by making a folder of that name, which only one of them
can; the tests of the files that others have taken are theirs. Every other process goes from the
last file to the first: the heavy ones stand at the end, and none runs beside another for long.
"""

import os
import pathlib

import pytest

TAKEN = pathlib.Path(os.environ["SHARE_TAKEN"])
NUMBER = int(os.environ["SHARE_NUMBER"])


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    """As pytest's own, but that what comes next, for which fixtures are kept, is ours as well."""
    if session.testsfailed or session.config.option.collectonly:
        return None  # which pytest reports
    items = _ours(session)
    item = next(items, None)
    while item:
        following = next(items, None)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        item = following
    return True


def pytest_runtest_logreport(report):
    """Note what has failed, for who runs it again."""
    if report.failed:
        with (TAKEN / "failed").open("a") as failed:
            failed.write(f"{report.nodeid}\n")


def pytest_sessionfinish():
    """Note that this process has come to its end: one that dies may look like one that fails."""
    (TAKEN / f"ended{NUMBER}").touch()


def _ours(session):
    files = {}
    for item in session.items:
        files.setdefault(item.path, []).append(item)
    for path in reversed(files) if NUMBER % 2 else files:
        if _take(str(path.relative_to(session.config.rootpath))):
            yield from files[path]


def _take(file):
    try:
        (TAKEN / file.replace("/", "+")).mkdir()
    except FileExistsError:
        return False
    return True
