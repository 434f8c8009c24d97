"""What a process that is to die at a given point has in its PYTHONPATH, and no other process.

Python imports a module of this name before anything else. This one wraps the functions that
`CRASH_POINTS` names, when their modules are imported. While the folder `CRASH_CONTROL` holds a file
`armed` that names one of them, its next call ends the process by SIGKILL, right before or after
the function runs. The file goes first, so that it happens once. `ahead`, in the same folder, is by
how many seconds the clock of the process is put forward. Short timers come round often.
"""

import datetime
import functools
import importlib.abc
import importlib.machinery
import json
import os
import pathlib
import signal
import sys

CONTROL = pathlib.Path(os.environ["CRASH_CONTROL"])
CLOCK = "chassis.clock:Clock.source"
TIMER = "chassis.timers:SteadyTimer.__init__"


class Finder(importlib.abc.MetaPathFinder):
    """Finds the modules with points in them, as Python would, and wraps their functions."""

    def __init__(self, points):
        self.points = {}
        for point in points:
            module, path = point.split(":")
            self.points.setdefault(module, []).append(path)

    def find_spec(self, name, path=None, target=None):
        if name not in self.points:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            for inner in self.points[name]:
                wrap(module, inner)

        spec.loader.exec_module = exec_module
        return spec


def wrap(module, path):
    *outer, name = path.split(".")
    owner = functools.reduce(getattr, outer, module)
    point = f"{module.__name__}:{path}"
    make = {CLOCK: moved, TIMER: hurried}.get(point, mortal)
    setattr(owner, name, make(getattr(owner, name), point))


def moved(now, point):
    """A clock that tests put forward."""

    def ahead():
        return now() + datetime.timedelta(seconds=float((CONTROL / "ahead").read_text()))

    return ahead


def hurried(init, point):
    """A timer that comes round often, where a test would wait for it: as `tests.support.hurry`."""

    def often(timer, interval, **kwargs):
        init(timer, min(interval, 0.5) if interval <= 5 else interval, **kwargs)

    return often


def mortal(function, point):
    """The function as it is, but for the one call at which the process ends. `ended` lists the
    calls that came to their end, be it an error."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        die_if(point, "before")
        try:
            answer = function(*args, **kwargs)
            die_if(point, "after", answer)
            return answer
        finally:
            with (CONTROL / "ended").open("a") as file:
                file.write(f"{point}\n")

    return call


def die_if(point, when, answer=None):
    armed = CONTROL / "armed"
    try:
        wanted = json.loads(armed.read_text())
    except FileNotFoundError:
        return
    if (wanted["point"], wanted["when"]) != (point, when):
        return
    if wanted["answer"] is None or wanted["answer"] == answer:
        armed.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


sys.meta_path.insert(
    0, Finder([CLOCK, TIMER, *filter(None, os.environ["CRASH_POINTS"].split(","))])
)
