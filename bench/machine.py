"""On what it was measured: figures mean little without."""

import datetime
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import psutil

from shop.local.postgres import binaries


def describe() -> dict[str, Any]:
    """The machine, its systems and their versions."""
    gib = psutil.virtual_memory().total / 2**30
    return {
        "processor": _processor(),
        "processors": os.cpu_count(),
        "memory": f"{gib:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgresql": _first_line([str(binaries() / "postgres"), "--version"]),
        "load before": round(os.getloadavg()[0], 2),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _first_line(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout.strip().splitlines() or [""])[0]
