"""A setting that makes no sense is one line before anything is started, whichever it is."""

import logging
import re

import pytest
import yaml

from chassis import config as configuration
from shop.local import settings
from shop.operate.settings import read
from shop.options import WrongSetting
from shop.packages import load_services

TEXT = configuration.DEFAULT_PATH.read_text()
#: Each variable of config.yaml, with its default.
VARIABLES = dict(re.findall(r"\${(\w+):([^}]*)}", re.sub(r"^ *#.*$", "", TEXT, flags=re.MULTILINE)))
#: Those where -1 is a number like others; `shop.local.place` sees to hosts and ports.
ANY_NUMBER = {"SIMULATOR_SEED", "HTTP_HOST", "HTTP_PORT", "METRICS_HOST", "METRICS_PORT"}
NUMBERS = {name for name, value in VARIABLES.items() if re.fullmatch(r"[0-9.]+", value)}


@pytest.fixture(scope="module")
def services():
    return load_services()


@pytest.fixture
def check(services, monkeypatch, tmp_path):
    """`check(text)`: what is said of a config.yaml with this text; None when all is well."""
    path = tmp_path / "config.yaml"
    levels = logging.getLogger().level, list(logging.getLogger().handlers)

    def tried(text=TEXT):
        path.write_text(text)
        read_from = configuration.load
        monkeypatch.setattr(configuration, "load", lambda: read_from(path))
        said = None
        try:
            settings.check(read(), services)
        except WrongSetting as wrong:
            said = wrong.message
        finally:
            monkeypatch.setattr(configuration, "load", read_from)
        assert said is None or "\n" not in said
        return said

    yield tried
    logging.getLogger().setLevel(levels[0])
    logging.getLogger().handlers[:] = levels[1]


def test_as_it_comes(check):
    """Nothing is wrong with config.yaml itself."""
    assert len(VARIABLES) > 100
    assert check() is None


@pytest.mark.parametrize("name", sorted(NUMBERS - ANY_NUMBER))
def test_a_number_below_all(check, monkeypatch, name):
    """No number of ours may be negative, and who reads it says so before the start."""
    monkeypatch.setenv(name, "-1")
    assert check().startswith("a setting is wrong: ")


@pytest.mark.parametrize("name", sorted(VARIABLES.keys() - NUMBERS))
def test_a_word(check, monkeypatch, name):
    """It is taken, or refused in one line."""
    monkeypatch.setenv(name, "abc")
    check()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CORS_ORIGINS", "[", "config: CORS_ORIGINS, line 1, column 2: "),
        ("MAX_WORKERS", "a: b: c", "config: MAX_WORKERS, line 1, column 5: "),
        ("MAX_WORKERS", "", "config: max_workers: Field may not be null."),
        ("SHOP_NAMES", "lamps", "users: config: users.shop_names: "),
        ("PASSWORD_RESET_LINK", "https://shop.example", 'reset_link: A URL with "{token}" in it.'),
        ("LOG_LEVEL", "loud", "config: LOG_LEVEL: not one of DEBUG, INFO,"),
        ("LOG_FORMAT", "xml", "config: LOG_FORMAT: not one of console, json"),
        ("DATABASE_URL", "mysql://h/shop", "config: DATABASE_URL: only PostgreSQL will do"),
        ("USERS_DATABASE_URL", "nonsense", "config: USERS_DATABASE_URL: not a database URL"),
    ],
)
def test_what_is_said(check, monkeypatch, name, value, said):
    """The name, and what is wrong with it."""
    monkeypatch.setenv(name, value)
    assert said in check()


def test_not_what_stands_there(check, monkeypatch):
    """A value may be a secret that was written into the wrong variable."""
    monkeypatch.setenv("CORS_ORIGINS", "[hunter2")
    assert "hunter2" not in check()


def test_a_variable_of_a_comment(check, monkeypatch):
    """config.yaml explains itself by ${NAME:...}, and many systems set NAME."""
    monkeypatch.setenv("NAME", "[")
    assert check() is None


@pytest.mark.parametrize("level", ["debug", "Warning", "ERROR"])
def test_levels_in_any_case(check, monkeypatch, level):
    """And the process that checks logs as it did."""
    before = logging.getLogger().level
    monkeypatch.setenv("LOG_LEVEL", level)
    assert check() is None
    assert logging.getLogger().level in (before, logging.WARNING)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("webb", {"docs": True}, "config: webb: Unknown section."),
        ("max_worker", 5, "config: max_worker: Unknown section."),
        ("web", 5, "config: web: "),
        ("web", [1], "config: web: "),
        ("web", {"dogs": True}, "config: web.dogs: Unknown field."),
        ("orders", {"payment_window": "soon"}, "config: orders.payment_window: "),
        ("DATABASES", 5, "config: DATABASES: "),
        ("DATABASES", {"users": 5}, "config: DATABASES.users"),
        ("AMQP_URI", None, "config: AMQP_URI: "),
        ("DATABASE_URL", None, "config: DATABASE_URL: not set"),
        ("LOGGING", 5, "config: LOGGING: "),
        ("LOGGING", {"version": 1, "root": {"level": "LOUD"}}, "config: LOGGING: "),
    ],
)
def test_in_the_file(check, name, value, said):
    """A slip is told with its place."""
    text = re.sub(rf"^{name}:.*\n(?:[ #].*\n|\n)*", "", TEXT, flags=re.MULTILINE)
    assert said in check(f"{text}\n{yaml.safe_dump({name: value})}")


@pytest.mark.parametrize("name", ["web", "users", "DATABASES", "sessions", "live"])
def test_an_empty_section(check, name):
    """As one that is not there: defaults hold."""
    text = re.sub(rf"^{name}:.*\n(?:[ #].*\n|\n)*", "", TEXT, flags=re.MULTILINE)
    said = check(f"{text}\n{name}:\n")
    assert said is None or "Field may not be null" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no settings"),
        ("- a\n", "holds no settings"),
        ("web: [\n", "config: config.yaml, line 2"),
        ("web:\n\tdocs: true\n", "config: config.yaml, line 2, column 1"),
        ("web: !!python/object:os.system x\n", "config: config.yaml, line 1"),
    ],
)
def test_a_broken_file(check, text, said):
    """Where it breaks."""
    assert said in check(text)


def test_a_file_that_is_away(tmp_path):
    """Not a traceback either."""
    with pytest.raises(Exception, match=r"config: config.yaml can't be read: .*No such file"):
        configuration.load(tmp_path / "config.yaml")
