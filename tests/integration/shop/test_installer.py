"""`.ci/install` against an index that has newer versions of everything: what is in the lock is what
is installed, with the oldest pip that a supported Python brings, whatever pip is told elsewhere.

`make installer` runs all of it; the suite has the one test that a new release of anything would
fail.
"""

import functools
import hashlib
import http.server
import importlib.metadata
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import zipfile

import pytest
from packaging.utils import canonicalize_name

from shop.packages import ROOT
from tests.support import eventually

NEWER = "99.0"
LOCKS = ("requirements-local.lock", "requirements-dev.lock")
#: With the first patch release of each supported Python came this pip.
OLDEST_PIP = {(3, 11): "22.3", (3, 12): "23.2.1", (3, 13): "24.2"}
_PINNED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?P<marker> ; .*?)? \\$", re.MULTILINE)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """The address of an index with a wheel of each pinned version and of a newer one; `.hashes` of
    the former. They hold nothing but what they are and need, as the real ones do."""
    root = tmp_path_factory.mktemp("index")
    hashes = {}
    for name, version, _ in pinned(LOCKS[-1]):
        folder = root / "simple" / canonicalize_name(name)
        folder.mkdir(parents=True)
        needs = _needs(name)
        hashes[name] = _wheel(folder, name, version, needs)
        _wheel(folder, name, NEWER, needs)
    handler = functools.partial(Quiet, directory=root)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Index(f"http://127.0.0.1:{server.server_port}/simple", hashes)
        server.shutdown()


class Index:
    def __init__(self, url, hashes):
        self.url, self.hashes = url, hashes


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Folders as pages of links, which is what an index is."""

    def log_message(self, *args):
        pass


@pytest.fixture
def clone(tmp_path, index):
    """What the installer reads of a repository, in a folder with a space in its name, with locks
    for the index."""
    clone = tmp_path / "a clone"
    (clone / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "install", clone / ".ci")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    (clone / "shop").mkdir()
    (clone / "shop" / "__init__.py").touch()
    (clone / "shop" / "cli.py").write_text("def main():\n    print('hello')\n")
    for lock in LOCKS:
        lines = [
            f"{name}=={version}{marker} --hash=sha256:{index.hashes[name]}\n"
            for name, version, marker in pinned(lock)
        ]
        (clone / lock).write_text("".join(lines))
    return Clone(clone, index)


class Clone:
    def __init__(self, folder, index):
        self.folder = folder
        own = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        self.environment = own | {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": index.url,
            "PIP_NO_CACHE_DIR": "1",
            "PYTHON": sys.executable,
        }

    @property
    def python(self):
        return self.folder / ".venv" / "bin" / "python"

    def begin(self, what, **environment):
        return subprocess.Popen(
            [".ci/install", what],
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def install(self, what, **environment):
        process = self.begin(what, **environment)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
        return said

    def installed(self):
        """Name and version of what is in there, but for pip and the shop itself."""
        code = (
            "from importlib.metadata import distributions\n"
            "for each in distributions(): print(each.metadata['Name'], each.version)"
        )
        done = subprocess.run(
            [self.python, "-Ic", code], capture_output=True, text=True, check=True
        )
        found = dict(line.split() for line in done.stdout.splitlines())
        names = {canonicalize_name(name): version for name, version in found.items()}
        assert names.pop("shop")
        names.pop("pip")
        return names

    def with_pip(self, version, tmp_path):
        """Have .venv made beforehand, with this pip; where no index has it, the installer will
        make one with the pip that this Python brings."""
        wheels = tmp_path / "pip"
        command = ["download", "--quiet", "--no-deps", "--dest", wheels, f"pip=={version}"]
        done = subprocess.run([sys.executable, "-m", "pip", *command], capture_output=True)
        if done.returncode:
            return
        (wheel,) = wheels.iterdir()
        venv = [sys.executable, "-m", "venv", "--without-pip", self.folder / ".venv"]
        subprocess.run(venv, check=True)
        install = ["install", "--quiet", "--no-index", wheel]
        subprocess.run([self.python, wheel / "pip", *install], check=True, env=self.environment)


def pinned(lock):
    """Name, version and marker of each that a lock pins."""
    found = [match.groupdict("") for match in _PINNED.finditer((ROOT / lock).read_text())]
    return [(each["name"], each["version"], each["marker"]) for each in found]


def expected(lock):
    """What a lock pins for this machine."""
    here = [(name, version) for name, version, marker in pinned(lock) if "win32" not in marker]
    return {canonicalize_name(name): version for name, version in here}


def _needs(name):
    """What the real package says of what it needs, as lines of its metadata."""
    try:
        metadata = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:  # for other systems
        return ""
    return "".join(
        f"{key}: {value}\n"
        for key in ("Requires-Dist", "Provides-Extra")
        for value in metadata.get_all(key) or ()
    )


def _wheel(folder, name, version, needs):
    """Write a wheel; its hash. That of setuptools, which builds the shop, holds the real thing."""
    distribution = re.sub(r"[-_.]+", "_", name)
    path = folder / f"{distribution}-{version}-py3-none-any.whl"
    info = f"{distribution}-{version}.dist-info"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    if name == "setuptools" and version != NEWER:
        files |= _real("setuptools", info)
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(path, "w") as wheel:
        for file, content in files.items():
            wheel.writestr(file, content)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _real(name, info):
    """The code of an installed package, and what it is found by."""
    found = {}
    for file in importlib.metadata.distribution(name).files:
        if file.suffix not in (".pyc", ".exe") and not str(file).startswith(".."):
            if ".dist-info" not in file.parts[0]:
                found[str(file)] = file.read_binary()
            elif file.name == "entry_points.txt":
                found[f"{info}/{file.name}"] = file.read_binary()
    return found


@pytest.mark.long
@pytest.mark.timeout(300)
def test_what_is_in_the_lock(clone):
    """First what runs, then what tests as well: the pinned versions, and nothing else."""
    clone.install("run")
    assert clone.installed() == expected(LOCKS[0])
    assert (clone.folder / ".venv" / "installed-run").exists()
    assert not (clone.folder / ".venv" / "installed-test").exists()
    clone.install("test")
    assert clone.installed() == expected(LOCKS[1])
    shop = subprocess.run(
        [clone.folder / ".venv" / "bin" / "shop"], capture_output=True, text=True, check=True
    )
    assert shop.stdout == "hello\n"


@pytest.mark.timeout(300)
def test_with_the_oldest_pip(clone, tmp_path):
    """The one that came with the first release of this Python resolves extras anew."""
    clone.with_pip(OLDEST_PIP[sys.version_info[:2]], tmp_path)
    clone.install("test")
    assert clone.installed() == expected(LOCKS[1])


@pytest.mark.long
@pytest.mark.timeout(300)
def test_what_is_set_for_other_projects(clone, tmp_path):
    """None of it leads pip elsewhere, and an index in its configuration is used."""
    constraints = tmp_path / "constraints"
    constraints.write_text("click==1.0\n")
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    clone.install(
        "run",
        PIP_USER="1",
        PIP_REQUIRE_HASHES="1",
        PIP_REQUIRE_VIRTUALENV="1",
        PIP_TARGET=str(tmp_path / "target"),
        PIP_PREFIX=str(tmp_path / "prefix"),
        PIP_ROOT=str(tmp_path / "root"),
        PIP_CONSTRAINT=str(constraints),
        PIP_NO_BINARY=":all:",
        PIP_DRY_RUN="1",
        PYTHONHOME=str(tmp_path),
        PYTHONPATH=str(tmp_path),
        HOME=str(home),
    )
    assert clone.installed() == expected(LOCKS[0])
    assert not [*tmp_path.glob("target"), *tmp_path.glob("prefix"), *tmp_path.glob("root")]


@pytest.mark.long
@pytest.mark.timeout(300)
def test_interrupted(clone):
    """What an interruption has left half unpacked is not taken for whole."""
    process = clone.begin("run")
    site = clone.folder / ".venv" / "lib"
    eventually(lambda: [*site.glob("python*/site-packages/amqp-*")], timeout=120)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert not [*clone.folder.glob(".venv/installed-*")]
    said = clone.install("run")
    assert "making .venv" in said
    assert clone.installed() == expected(LOCKS[0])


@pytest.mark.long
@pytest.mark.timeout(300)
def test_two_at_once(clone):
    """The second one waits for the first."""
    both = [clone.begin("run"), clone.begin("run")]
    said = [process.communicate(timeout=240)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("waiting for another install" in each for each in said) == 1
    assert clone.installed() == expected(LOCKS[0])
