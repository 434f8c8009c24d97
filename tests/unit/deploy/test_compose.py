"""compose.yml, and what goes with it, held against what each container must be."""

import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

from shop.packages import DATABASE_PACKAGES, SERVICE_PACKAGES

ROOT = pathlib.Path(__file__).parents[3]
COMPOSE = (ROOT / "compose.yml").read_text()
PROJECT = yaml.safe_load(COMPOSE)
SERVICES = PROJECT["services"]
#: Images without any program that could look whether all is well.
BARE = {"collector", "jaeger"}
JOBS = {name for name, service in SERVICES.items() if service.get("restart") == "no"}
#: Starts as root, for its data folder, and drops that.
STARTS_AS_ROOT = {"postgres"}


@pytest.mark.parametrize("name", SERVICES)
def test_containers_can_do_no_more_than_they_must(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "cap_add" not in service or name in STARTS_AS_ROOT


@pytest.mark.parametrize("name", SERVICES)
def test_containers_are_bounded(name):
    """Memory without swap, processes, and logs."""
    service = SERVICES[name]
    assert service["mem_limit"] == service["memswap_limit"]
    assert service["pids_limit"] > 0
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("name", SERVICES.keys() - STARTS_AS_ROOT)
def test_nobody_is_root(name):
    service = SERVICES[name]
    if "user" in service:
        assert not re.match(r"(0|root)\b", service["user"])
    else:
        assert re.findall(r"^USER (.+)$", _dockerfile(service), re.MULTILINE)[-1] != "root"


@pytest.mark.parametrize("name", SERVICES.keys() - JOBS - BARE)
def test_servers_are_looked_at_and_come_back(name):
    assert SERVICES[name]["restart"] == "unless-stopped"
    probe = SERVICES[name]["healthcheck"]
    assert probe["test"][0] == "CMD"
    assert _seconds(probe["timeout"]) <= 10


@pytest.mark.parametrize("name", SERVICE_PACKAGES)
def test_each_package_has_a_container(name):
    """With its own user and its own database, and nobody else's."""
    service = SERVICES[name]
    assert service["command"][:3] == ["nameko", "run", f"{name}.service"]
    secret = f"${{{name.upper()}_PASSWORD:?"
    environment = service["environment"]
    assert environment["AMQP_URI"].startswith(f"amqp://{name}:{secret}")
    databases = {key: value for key, value in environment.items() if "DATABASE_URL" in key}
    expected = {f"{name.upper()}_DATABASE_URL"} if name in DATABASE_PACKAGES else set()
    assert databases.keys() == expected
    for url in databases.values():
        assert url.startswith(f"postgresql://{name}:{secret}")
        assert url.endswith(f"@postgres:5432/shop_{name}")
    others = {f"{other.upper()}_PASSWORD" for other in SERVICE_PACKAGES if other != name}
    assert not others & set(_variables(str(service)))


@pytest.mark.parametrize("name", SERVICE_PACKAGES)
def test_work_in_hand_may_finish(name):
    """Docker kills later than the service gives up by itself."""
    service = SERVICES[name]
    assert _seconds(service["stop_grace_period"]) > float(service["environment"]["STOP_TIMEOUT"])


def test_each_step_waits_for_the_one_before():
    """Servers, users and databases, tables and queues, services, the door."""
    done, healthy = "service_completed_successfully", "service_healthy"
    assert _waits("provision") == {"rabbitmq": healthy, "postgres": healthy}
    assert _waits("migrate") == {"provision": done}
    assert all(_waits(name) == {"migrate": done} for name in SERVICE_PACKAGES)
    assert _waits("proxy") == {"gateway": healthy}


def test_what_can_be_scaled_has_no_port_and_no_name_of_its_own():
    for name in SERVICE_PACKAGES:
        assert not SERVICES[name].keys() & {"ports", "container_name", "hostname"}


@pytest.mark.parametrize("name", SERVICES)
def test_only_the_door_may_be_open_to_others(name):
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:") or name == "proxy"


def test_images_have_a_version():
    """A tag, for a digest would be of one architecture and one registry."""
    images = [service["image"] for service in SERVICES.values() if "build" not in service]
    for service in SERVICES.values():
        if "build" in service:
            dockerfile = _dockerfile(service)
            assert ":latest" not in dockerfile
            stages = set(re.findall(r"^FROM \S+ AS (\S+)", dockerfile, re.MULTILINE))
            images += set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) - stages
    for image in images:
        assert re.fullmatch(r"[^:@]+:v?\d+\.\d+(\.\d+)?([.-].+)?", image), image


def test_no_secret_has_a_default():
    """Without one, nothing starts; passwords of services that are not ours may be empty."""
    for name, rest in re.findall(r"\$\{(\w*(?:PASSWORD|SECRETS|API_KEY))\b([^}]*)\}", COMPOSE):
        assert rest.startswith(":?") or rest == ":-", name
    for name in ("RABBITMQ", "POSTGRES", *map(str.upper, SERVICE_PACKAGES)):
        assert f"${{{name}_PASSWORD:?set {name}_PASSWORD, see .env.example}}" in COMPOSE


def test_every_variable_is_explained():
    """In .env.example, with the default of compose.yml, but for the passwords, which its command
    makes; the demo sets all that is needed."""
    example = _settings(".env.example", r"^#?([A-Z_]+)=(.*)$")
    demo = _settings("deploy/demo.env", r"^([A-Z_]+)=(.*)$")
    passwords = set(re.findall(r"[A-Z]*_PASSWORD(?=:\?)", COMPOSE))
    example |= dict.fromkeys(passwords, "")
    for name, mark, default in re.findall(r"\$\{(\w+):([?-])([^}]*)\}", COMPOSE):
        if mark == "?":
            assert example[name] == ""
            assert demo[name]
        else:
            assert example[name] == default, name
    assert demo.keys() <= example.keys()
    assert set(_variables(COMPOSE)) | {"COMPOSE_PROFILES"} == example.keys()


def test_the_command_of_the_example_makes_each_password(tmp_path):
    """A different one for each, and the file has all else, for its owner alone."""
    for name in ("compose.yml", ".env.example"):
        shutil.copy(ROOT / name, tmp_path)
    command = re.search(r"^#   (for .+\n#     .+)$", (ROOT / ".env.example").read_text(), re.M)[1]
    command = command.replace("\n#", "\n")
    subprocess.run(["sh", "-euc", command], cwd=tmp_path, check=True)
    made = tmp_path / ".env"
    passwords = re.findall(r"^([A-Z]+)_PASSWORD=([0-9a-f]{48})$", made.read_text(), re.M)
    names = {"rabbitmq", "postgres", *SERVICE_PACKAGES}
    assert {name.lower() for name, _ in passwords} == names
    assert len({value for _, value in passwords}) == len(names)
    assert (ROOT / ".env.example").read_text() in made.read_text()
    assert made.stat().st_mode & 0o777 == 0o600


def test_the_demo_is_all_that_has_known_passwords():
    for name in ("mailpit", "sample"):
        assert SERVICES[name]["profiles"] == ["demo"]
    assert "--accounts" in SERVICES["sample"]["command"]


def test_what_is_mounted_is_there():
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source, _, *mode = volume.split(":")
            if source.startswith("./"):
                assert (ROOT / source).exists()
                assert mode == ["ro"]
            else:
                assert source in PROJECT["volumes"]


def test_prometheus_finds_every_process():
    """By the name and the port that compose.yml gives them."""
    page = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    jobs = {job["job_name"]: job for job in page["scrape_configs"]}
    (found,) = jobs["shop"]["dns_sd_configs"]
    assert set(found["names"]) == set(SERVICE_PACKAGES)
    for name in SERVICE_PACKAGES:
        assert SERVICES[name]["environment"]["METRICS_PORT"] == str(found["port"])


def _waits(name):
    return {other: how["condition"] for other, how in SERVICES[name]["depends_on"].items()}


def _dockerfile(service):
    return (ROOT / service["build"] / "Dockerfile").read_text()


def _variables(text):
    return re.findall(r"\$\{(\w+)", text)


def _settings(path, form):
    return dict(re.findall(form, (ROOT / path).read_text(), re.MULTILINE))


def _seconds(text):
    return float(text.removesuffix("s"))
