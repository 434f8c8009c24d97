"""docs/adding.md, done as it says in a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ENDPOINT, SERVICE = (
    re.findall(r"^`(\S+)`[^\n]*\n```diff\n(.*?)^```$", walk, re.MULTILINE | re.DOTALL)
    for walk in (ROOT / "docs/adding.md").read_text().split("\n## ")[1:]
)
#: Folders that a copy has no use for.
LEFT_OUT = shutil.ignore_patterns(
    ".venv", ".git", "var", "node_modules", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis"
)
#: What holds every endpoint to its description and its events to their handlers; without servers.
GENERAL = (
    "tests/unit/gateway/test_routes.py",
    "tests/unit/gateway/test_openapi.py",
    "tests/contract/test_interfaces.py",
    "tests/contract/test_events.py::test_what_is_published_is_handled",
    "tests/contract/test_events.py::test_events_have_no_room_for_anything_personal",
)
ACKNOWLEDGE, WISHLISTS = "tests/e2e/test_acknowledge.py", "tests/e2e/test_wishlists.py"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def copy(tmp_path, servers):
    """A copy of the repository, to be changed by `apply` and looked at by `run` and `tested`."""
    return Copy(tmp_path / "copy", servers)


class Copy:
    def __init__(self, folder, servers):
        self.folder = folder
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
        self._environment = os.environ | {
            "PYTHONPATH": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TEST_AMQP_URI": servers.amqp_uri,
            "TEST_AMQP_API": servers.amqp_api,
            "TEST_DATABASE_URL": servers.database_url,
        }

    def apply(self, blocks):
        for path, block in blocks:
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            text = file.read_text() if file.exists() else ""
            for old, new in hunks(block):
                assert not old or text.count(old) == 1, f"{path}: not there once:\n{old}"
                text = text.replace(old, new) if old else text + new
            file.write_text(text)

    def run(self, *command):
        """Whether a program of this environment succeeds in the copy, and what it says."""
        program = Path(sys.executable).with_name(command[0])
        done = subprocess.run(
            [program, *command[1:]],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
        )
        return done.returncode == 0, done.stdout + done.stderr

    def tested(self, *tests):
        return self.run("python", "-m", "pytest", "-qx", "-p", "no:cacheprovider", *tests)


def hunks(block):
    """(what is there, what takes its place), by whole lines."""
    for hunk in re.split(r"^@@\n", block, flags=re.MULTILINE):
        lines = hunk.splitlines(keepends=True)
        yield (
            "".join(line[1:] for line in lines if line[0] in " -"),
            "".join(line[1:] for line in lines if line[0] in " +"),
        )


def test_they_touch_few_places():
    """An endpoint eight files, beside its tests; a service eight places, beside its own files."""
    assert 5 < len([path for path, _ in ENDPOINT if not path.startswith("tests/")]) <= 8
    own = ("wishlists/", "contracts/wishlists/", "gateway/routes/wishlists.py", "tests/")
    others = [block for path, block in SERVICE if not path.startswith(own)]
    named = [new for block in others for _, new in hunks(block) if "wishlists" in new.lower()]
    assert 5 < len(named) <= 8


@pytest.mark.parametrize(("blocks", "behaviour"), [(ENDPOINT, ACKNOWLEDGE), (SERVICE, WISHLISTS)])
def test_what_it_says_works(copy, blocks, behaviour):
    """The answer, the event and its effect; the description; imports and style."""
    copy.apply(blocks)
    changed = [path for path, _ in blocks if path.endswith(".py")]
    for command in (
        ("lint-imports", "--no-cache"),
        ("ruff", "check", "--no-cache", *changed),
        ("ruff", "format", "--no-cache", "--check", *changed),
    ):
        succeeded, said = copy.run(*command)
        assert succeeded, said
    succeeded, said = copy.tested(*GENERAL, behaviour)
    assert succeeded, said


def test_a_service_is_found_by_all_that_runs_it(copy):
    """Containers, provisioning, supervision, restarts; and its tables are those of its models."""
    copy.apply(SERVICE)
    succeeded, said = copy.tested(
        "tests/unit/deploy/test_compose.py",
        "tests/unit/shop/test_provision.py",
        "tests/unit/shop/test_supervision.py",
        "tests/unit/shop/test_restart.py",
    )
    assert succeeded, said
    succeeded, said = copy.tested("tests/integration/shop/test_migrations.py", "-k", "wishlists")
    assert succeeded, said
    _, order = copy.run(
        "python", "-W", "ignore", "-c", "from shop.local.restart import order; print(*order())"
    )
    assert order.split().index("wishlists") < order.split().index("gateway")


@pytest.mark.long
@pytest.mark.parametrize("missing", range(len(ENDPOINT) - 1), ids=lambda at: ENDPOINT[at][0])
def test_each_block_is_needed(copy, missing):
    """Without it a test fails: of all endpoints, or of what this one does."""
    copy.apply(ENDPOINT[:missing] + ENDPOINT[missing + 1 :])
    succeeded, said = copy.tested(*GENERAL, ACKNOWLEDGE)
    assert not succeeded
    assert "Error" in said
