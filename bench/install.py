"""What the peers need, in a virtual environment and a node_modules of their own, at first use."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench import peers
from shop.local.place import ROOT
from shop.local.server import LocalError

#: The Python of the peers, which is also the load generator's, for it has uvloop.
FOLDER = ROOT / "var" / "bench" / "venv"
PYTHON = FOLDER / "bin" / "python"

_PEERS = Path(peers.__file__).parent
_REQUIREMENTS = _PEERS / "requirements.txt"


def python_packages(say: Callable[[str], None]) -> None:
    """Make the virtual environment, when it is not there or its requirements have changed."""
    stamp = FOLDER / "installed"
    wanted = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"installing the peers' packages in {FOLDER} (some minutes)")
    _run([sys.executable, "-m", "venv", "--clear", str(FOLDER)])
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    _run([*pip, "--quiet", "--requirement", str(_REQUIREMENTS)])
    stamp.write_text(wanted)


def node_packages(folder: Path, say: Callable[[str], None]) -> bool:
    """Install what `folder`'s lock file names; False when this machine has no npm."""
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    stamp, lock = folder / "node_modules" / ".installed", folder / "package-lock.json"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted):
        say(f"installing {folder.name}'s packages in {folder / 'node_modules'}")
        _run(["npm", "ci", "--no-audit", "--no-fund", "--prefix", str(folder)])
        stamp.write_text(wanted)
    return True


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        last = "\n  ".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise LocalError(f"{' '.join(command)} failed:\n  {last}")
