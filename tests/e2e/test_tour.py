"""docs/api.md, typed as it stands."""

import pathlib
import re
import shutil
import subprocess

import pytest

BLOCKS = re.findall(r"^```sh\n(.*?)^```", pathlib.Path("docs/api.md").read_text(), re.M | re.S)


@pytest.mark.skipif(not (shutil.which("jq") and shutil.which("curl")), reason="needs curl and jq")
def test_the_five_minute_tour_works(shop, tmp_path):
    """Every command of the page in its order: one problem, the one that is meant, and all else
    comes about."""
    lamp = shop.product(name="Lamp beside the door", stock=9)
    tour = "shopt -s expand_aliases\nset -eu\n" + "".join(BLOCKS)
    tour = tour.replace("http://127.0.0.1:8000", shop.url)
    tour = tour.replace("var/outbox", str(shop.outbox))
    tour = tour.replace('"product_id": 1,', f'"product_id": {lamp["id"]},')
    script = tmp_path / "tour.sh"
    script.write_text(tour)
    done = subprocess.run(["bash", script], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r'"code":"(\w+)"', done.stdout) == ["invalid"]
    assert '"errors":{"quantity":' in done.stdout
    for expected in (
        '"name": "Lamp beside the door"',
        '"available":true',
        '"role":"customer"',
        '"email_verified":false',
        "\ntrue\n",  # by now
        '"status": "pending"',
        '"status": "succeeded"',
        '"payment_status": "paid"',
        " payment: payment_succeeded",
    ):
        assert expected in done.stdout, expected
