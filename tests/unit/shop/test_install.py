"""Getting RabbitMQ where it is missing."""

import os

import pytest

from shop.local import install
from shop.local.server import LocalError


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine without RabbitMQ and with no command but those a test gives it."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("sh", "rm", "chmod", "cat", "touch"):
        (commands / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(commands))
    monkeypatch.setenv("RABBITMQ_SERVER", str(tmp_path / "rabbitmq-server"))
    monkeypatch.setattr(install, "POLICY", tmp_path / "policy-rc.d")
    return Machine(tmp_path, commands)


class Machine:
    def __init__(self, root, commands):
        self.root, self.commands = root, commands
        self.said = []

    def command(self, name, script):
        path = self.commands / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def install(self):
        install.install_rabbitmq(self.said.append)

    @property
    def calls(self):
        log = self.root / "calls"
        return log.read_text().splitlines() if log.exists() else []

    def package_manager(self, name, rest=""):
        """One that installs a server when asked for it."""
        server = self.root / "rabbitmq-server"
        self.command(
            name,
            f'echo "$*" >>{self.root}/calls\ncat {self.root}/policy-rc.d >>{self.root}/policy\n'
            f'case "$*" in *rabbitmq*) touch {server}; chmod 755 {server};; esac\n{rest}',
        )


@pytest.fixture
def root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_installed_already(machine, root):
    """A machine that has RabbitMQ is left alone."""
    machine.package_manager("apt-get")
    server = machine.root / "rabbitmq-server"
    server.touch()
    server.chmod(0o755)
    machine.install()
    assert (machine.said, machine.calls) == ([], [])


def test_debian(machine, root):
    """apt-get gets it, after a line that says so, and Debian starts no broker of its own."""
    machine.package_manager("apt-get", "echo 'Setting up rabbitmq-server'")
    machine.install()
    assert [call.split()[0] for call in machine.calls] == ["update", "install"]
    assert "apt-get install rabbitmq-server" in machine.said[0]
    assert "exit 101" in (machine.root / "policy").read_text()
    assert not install.POLICY.exists()


def test_policy_of_the_machine_stays(machine, root):
    """Where somebody else decided about starting servers, that is kept."""
    install.POLICY.write_text("mine")
    machine.package_manager("apt-get")
    machine.install()
    assert install.POLICY.read_text() == "mine"


def test_homebrew(machine):
    """brew gets it on a Mac, without root."""
    machine.package_manager("brew")
    machine.install()
    assert machine.calls == ["install rabbitmq"]


def test_failure_is_told(machine, root):
    """When the package manager fails, its last words are in the error."""
    machine.command("apt-get", "echo 'E: no network'; exit 100")
    with pytest.raises(LocalError, match="E: no network"):
        machine.install()


def test_neither_root_nor_sudo(machine, monkeypatch):
    """Who may not install is told what is needed."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    machine.package_manager("apt-get")
    with pytest.raises(LocalError, match="root or sudo"):
        machine.install()


def test_no_package_manager(machine):
    """Where nothing can be installed, a broker elsewhere can be named."""
    with pytest.raises(LocalError, match="AMQP_URI"):
        machine.install()
