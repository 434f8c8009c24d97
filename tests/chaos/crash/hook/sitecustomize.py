"""What a process that is to die at a given step has in its PYTHONPATH, and no other process.

Python imports a module of this name before anything else. This one watches the steps that the
process reaches (`chassis.steps`), once that module is imported. While the folder `CRASH_CONTROL`
holds a file `armed` that names this package and a step, reaching it ends the process by SIGKILL.
The file goes first, so that it happens once. `reached` lists the steps that were lived through.
`ahead` is by how many seconds the clock of the process is put forward. Short timers come round
often.
"""

import datetime
import functools
import importlib.abc
import importlib.machinery
import os
import pathlib
import signal
import sys

CONTROL = pathlib.Path(os.environ["CRASH_CONTROL"])
PACKAGE = os.environ["CRASH_PACKAGE"]


def moved(now):
    """A clock that tests put forward."""

    def ahead():
        return now() + datetime.timedelta(seconds=float((CONTROL / "ahead").read_text()))

    return ahead


def hurried(init):
    """A timer that comes round often, where a test would wait for it: as `tests.support.hurry`."""

    def often(timer, interval, **kwargs):
        init(timer, min(interval, 0.5) if interval <= 5 else interval, **kwargs)

    return often


def watched(nobody):
    """Lives through each step, but for the one at which the process is to end."""

    def reached(step, entrypoint):
        name = step.name
        if entrypoint is not None:
            name += f":{entrypoint.container.service_name}.{entrypoint.method_name}"
        die_if(name)
        with (CONTROL / "reached").open("a") as file:
            file.write(f"{name}\n")

    return reached


def die_if(name):
    armed = CONTROL / "armed"
    try:
        wanted = armed.read_text()
    except FileNotFoundError:
        return
    if wanted == f"{PACKAGE} {name}":
        armed.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


#: What is another in these processes, by module and name, and what makes it so.
CHANGED = {
    "chassis.clock": [("Clock.source", moved)],
    "chassis.timers": [("SteadyTimer.__init__", hurried)],
    "chassis.steps": [("Step.watch", watched)],
}


class Finder(importlib.abc.MetaPathFinder):
    """Finds these modules as Python would, and changes what is in them."""

    def find_spec(self, name, folders=None, target=None):
        if name not in CHANGED:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, folders, target)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            for path, make in CHANGED[name]:
                change(module, path, make)

        spec.loader.exec_module = exec_module
        return spec


def change(module, path, make):
    *outer, name = path.split(".")
    owner = functools.reduce(getattr, outer, module)
    setattr(owner, name, make(getattr(owner, name)))


sys.meta_path.insert(0, Finder())
