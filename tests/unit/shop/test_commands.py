"""Every command starts, in a process where nothing else has been imported before it."""

import subprocess
import sys

import click
import pytest

from shop.cli import shop


def words_of(command, *before):
    """The words of each command below a group, and of the group."""
    yield before
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from words_of(command.get_command(context, name), *before, name)


@pytest.mark.parametrize("words", list(words_of(shop)), ids=" ".join)
def test_help(words):
    """It says what it is for."""
    command = [sys.executable, "-c", "from shop.cli import main; main()", *words, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout
