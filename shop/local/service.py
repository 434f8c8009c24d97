"""`nameko run` for one package, begun early: `python -m shop.local.service orders <gate>`.

Loading the code takes a process a second of work and RabbitMQ needs longer than that to start, so
the one is done while the other happens: everything is imported, then the process waits until the
gate (a file) is there, which says that databases and queues are as the code expects them.
"""

import gc

gc.disable()  # what imports allocate stays: looking for garbage in it costs a tenth of their time

import eventlet  # noqa: E402

eventlet.monkey_patch()

import importlib  # noqa: E402  (nothing is imported before it is patched)
import sys  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

from nameko.cli import main, run  # noqa: E402, F401

package, gate = sys.argv[1:]
importlib.import_module(f"{package}.service")
gc.enable()
while not Path(gate).exists():
    time.sleep(0.05)
sys.argv[:] = ["nameko", "run", f"{package}.service", "--config", "config.yaml"]
main.main()
