"""The description under Spectral with OWASP's rules; `make test` installs it where there is npm."""

import json
import pathlib
import shutil
import subprocess

import pytest

from tests.e2e.description import DOCUMENT

HERE = pathlib.Path(__file__).parent
SPECTRAL = HERE / "node_modules" / ".bin" / "spectral"


@pytest.mark.timeout(600)  # a few seconds, but of a processor that others may want too
@pytest.mark.skipif(not shutil.which("npm"), reason="Spectral needs Node.js; there is no npm here")
def test_no_rule_is_broken(tmp_path):
    """No errors; what is excepted, and why, is in .spectral.yaml."""
    assert SPECTRAL.exists(), "make lint-api installs it"
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(DOCUMENT, indent=1))
    shutil.copy(HERE / ".spectral.yaml", tmp_path)
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    linted = subprocess.run(
        [SPECTRAL, "lint", document.name, "--quiet", "--format", "json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=500,
    )
    findings = json.loads(linted.stdout or "[]")
    errors = [(f["code"], f["path"]) for f in findings if f["severity"] == 0]
    assert errors == [], linted.stderr
    assert linted.returncode == 0, linted.stderr
