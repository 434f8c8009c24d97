"""The shop of compose.yml, as a project of its own beside any other."""

import json
import os
import pathlib
import shutil
import subprocess
from typing import Any

from tests.support import eventually

ROOT = pathlib.Path(__file__).parents[2]
#: Seconds that images may take to be built, and containers to be healthy.
_BUILD, _START = 1800, 180


class Project:
    """Containers named `shop-test…`, with the demo's secrets and other ports than usual."""

    def __init__(self, ports: dict[str, int]):
        new = subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0
        self._command = ["docker", "compose"] if new else [shutil.which("docker-compose")]
        self._environment = os.environ | {name: str(port) for name, port in ports.items()}
        self.url = f"http://127.0.0.1:{ports['HTTP_PORT']}"

    def compose(
        self, *arguments: str, check: bool = True, settings: str = "deploy/demo.env"
    ) -> subprocess.CompletedProcess[str]:
        """Run docker compose on it; what it said is shown when it fails."""
        options = ("--project-name", "shop-test", "--env-file", settings)
        return run(*self._command, *options, *arguments, check=check, env=self._environment)

    def up(self, *arguments: str) -> None:
        """Until all are healthy."""
        self.compose("up", "--detach", "--build", *arguments)
        eventually(self.is_well, timeout=_START, every=0.5)

    def down(self) -> None:
        self.compose("down", "--volumes", "--remove-orphans")

    def is_well(self, *names: str) -> bool:
        """Each of these, or of all, is healthy, or a job that has ended well."""
        return all(
            _is_well(found["State"])
            for name, found in self.containers().items()
            if name in (names or (name,))
        )

    def containers(self) -> dict[str, dict[str, Any]]:
        """What `docker inspect` says of each, by service and number, as `orders 2`."""
        ours = "--filter=label=com.docker.compose.project=shop-test"
        ids = run("docker", "ps", "--all", "--quiet", ours).stdout.split()
        found = json.loads(run("docker", "inspect", *ids).stdout) if ids else []
        labels = "com.docker.compose.service", "com.docker.compose.container-number"
        return {" ".join(one["Config"]["Labels"][label] for label in labels): one for one in found}

    def inside(self, name: str, *command: str, check: bool = True) -> Any:
        """Run a command in one of the containers."""
        return run("docker", "exec", self.containers()[name]["Id"], *command, check=check)

    def kill(self, name: str) -> None:
        """End it as a crash does: Docker takes its own `kill` as a wish that it stay down."""
        pid = str(self.containers()[name]["State"]["Pid"])
        asroot = ("docker", "run", "--rm", "--pid=host", "--user=0", "shop:local")
        run(*asroot, "sh", "-c", f"kill -9 {pid}")

    def restart(self, name: str) -> None:
        """As an operator does, until it is healthy again."""
        run("docker", "restart", "--time=30", self.containers()[name]["Id"])
        eventually(lambda: self.is_well(name), timeout=_START, every=0.5)


def _is_well(state: dict[str, Any]) -> bool:
    if "Health" in state:
        return state["Health"]["Status"] == "healthy"
    return (state["Status"], state["ExitCode"]) == ("exited", 0)


def run(*command: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
    """A finished command with its output; fails with that unless it ends well."""
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=_BUILD, **options
    )
    assert not check or done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done
