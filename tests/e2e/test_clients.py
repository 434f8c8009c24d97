"""Clients that are generated from the description buy, pay and are refunded."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import eventlet
import pytest

from chassis.web.responses import dumps
from tests.e2e.client import new_email
from tests.e2e.description import DOCUMENT

LINT = pathlib.Path(__file__).parents[1] / "lint_api"
MODULES = LINT / "node_modules"
CLIENTS = LINT / "clients"
BIN = pathlib.Path(sys.executable).parent

needs_npm = pytest.mark.skipif(
    not shutil.which("npm"), reason="these tools need Node.js; there is no npm here"
)


def run(*words, cwd, **environment):
    """What a command prints, while the shop in this process goes on; its output when it fails."""
    process = subprocess.Popen(
        [str(word) for word in words],
        cwd=cwd,
        env=os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = eventlet.tpool.execute(process.communicate)[0]
    assert process.returncode == 0, output
    return output


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With the description as `openapi.json`."""
    folder = tmp_path_factory.mktemp("clients")
    (folder / "openapi.json").write_text(json.dumps(DOCUMENT))
    return folder


@pytest.fixture
def staff_token(shop):
    """Of somebody who may refund; there is something to buy."""
    shop.product()
    return shop.employee("staff").token


def test_every_process_describes_the_same(folder):
    """Byte by byte, whatever the order of its sets: the page and its ETag are everybody's."""
    program = (
        "from tests.e2e.description import DOCUMENT; import sys; from chassis.web.responses import"
    )
    program += " dumps; sys.stdout.buffer.write(dumps(DOCUMENT))"
    for seed in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        assert told.stdout == dumps(DOCUMENT)


def test_every_field_is_described():
    """Each in words of its own, and no answer by a phrase that says nothing."""
    for owner, schema in DOCUMENT["components"]["schemas"].items():
        for name, shape in schema.get("properties", {}).items():
            assert shape["description"], (owner, name)
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            assert all(p.get("description") for p in operation["parameters"]), (method, path)
            for response in operation["responses"].values():
                assert response.get("description", "") != "What was asked for", (method, path)


@needs_npm
@pytest.mark.timeout(300)
def test_redocly_finds_nothing(folder):
    """Its strict rules; what is excepted, and why, is in .redocly.yaml."""
    config = LINT / ".redocly.yaml"
    run(
        MODULES / ".bin/redocly", "lint", "openapi.json", "--config", config, cwd=folder,
        REDOCLY_TELEMETRY="off", REDOCLY_SUPPRESS_UPDATE_NOTICE="true",
    )  # fmt: skip


@pytest.mark.timeout(300)
def test_a_python_client_walks_from_sign_up_to_refund(shop, folder, staff_token):
    """Made by openapi-python-client; client and walk pass mypy in strict mode."""
    run(
        "openapi-python-client", "generate", "--path", "openapi.json", "--meta", "none",
        "--output-path", "shop_client", cwd=folder,
    )  # fmt: skip
    shutil.copy(CLIENTS / "walk.py", folder)
    # The generator's own file calls httpx in a way that httpx does not declare.
    (folder / "mypy.ini").write_text(
        "[mypy]\nstrict = True\n[mypy-shop_client.client]\nignore_errors = True\n"
    )
    run("mypy", "walk.py", "shop_client", cwd=folder)
    run(sys.executable, "walk.py", shop.url, staff_token, new_email(), cwd=folder)


@needs_npm
@pytest.mark.timeout(300)
def test_a_typescript_client_walks_from_sign_up_to_refund(shop, folder, staff_token):
    """Its types are made by openapi-typescript; types and walk pass tsc in strict mode."""
    (folder / "node_modules").symlink_to(MODULES)
    (folder / "package.json").write_text('{"type": "module"}')
    shutil.copy(CLIENTS / "walk.ts", folder)
    run(MODULES / ".bin/openapi-typescript", "openapi.json", "-o", "shop.d.ts", cwd=folder)
    run(
        MODULES / ".bin/tsc", "--strict", "--target", "es2022", "--module", "nodenext",
        "--types", "node", "walk.ts", cwd=folder,
    )  # fmt: skip
    run("node", "walk.js", shop.url, staff_token, new_email(), cwd=folder)
