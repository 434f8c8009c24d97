"""Configuration: one `config.yaml`, in which the environment wins (`${NAME:default}`).

A wrong setting ends the start of a service with one line, before it touches anything.
"""

import os
import pathlib
import re
from typing import Any

import yaml
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate
from nameko.exceptions import ConfigurationError
from nameko.extensions import DependencyProvider
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from chassis.hooks import Hooks

#: A variable in a setting, as Nameko reads it.
_VARIABLE = re.compile(r"\$\{([^}:\s]+)")

DEFAULT_PATH = pathlib.Path(__file__).parent.parent / "config.yaml"


class _File(fields.String):
    """The path of a file that is there; None for none."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if value in (None, ""):
            return None
        path = super()._deserialize(value, attr, data, **kwargs)
        if not pathlib.Path(path).is_file():
            raise ValidationError(f"There is no file {path}.")
        return path


class TlsFiles(Schema):
    """Section `AMQP_TLS`: `chassis.broker.tls`."""

    ca_file = _File(load_default=None)
    cert_file = _File(load_default=None)
    key_file = _File(load_default=None)


class ChassisSettings(Schema):
    """The settings that every service shares."""

    class Meta:
        unknown = EXCLUDE

    AMQP_URI = fields.String(required=True, validate=validate.Regexp(r"(amqps?|pyamqp)://.+"))
    DATABASES = fields.Dict(fields.String(), fields.String(allow_none=True), load_default={})
    AMQP_TLS = fields.Nested(TlsFiles, load_default={})
    #: Seconds of silence after which either side calls the other dead (twice that, at the worst).
    AMQP_HEARTBEAT = fields.Integer(load_default=10, validate=validate.Range(min=2, max=600))
    max_workers = fields.Integer(load_default=10, validate=validate.Range(min=4, max=1000))
    max_workers_of = fields.Dict(
        fields.String(), fields.Integer(validate=validate.Range(min=4, max=10000)), load_default={}
    )
    #: Seconds that work under way may take to finish after the signal to stop.
    STOP_TIMEOUT = fields.Float(load_default=15, validate=validate.Range(min=0, max=600))
    #: Where Prometheus asks for metrics; without a port, nowhere.
    METRICS_HOST = fields.String(load_default="127.0.0.1", validate=validate.Length(min=1))
    METRICS_PORT = fields.Integer(
        load_default=0, allow_none=True, validate=validate.Range(min=0, max=65535)
    )
    DB_STATEMENT_TIMEOUT = fields.Float(
        load_default=5, validate=validate.Range(min=0, min_inclusive=False, max=600)
    )


class IdentitySettings(Schema):
    """Section `identity`: what signers and verifiers of tokens have to agree on."""

    issuer = fields.String(required=True, validate=validate.Length(min=1))
    audience = fields.String(required=True, validate=validate.Length(min=1))


class Settings(Hooks, DependencyProvider):
    """Injects one section of the configuration, loaded by a marshmallow schema: a dict with typed
    values. Raises Nameko's `ConfigurationError`, with one line, when something is wrong."""

    def __init__(self, schema: type[Schema], section: str):
        self.schema = schema()
        self.section = section
        self.values: dict[str, Any] = {}

    def check(self) -> None:
        """Load the section; raises Nameko's `ConfigurationError`."""
        self.values = check(
            self.schema, self.container.config.get(self.section) or {}, self.section
        )

    def setup(self) -> None:
        self.check()

    def get_dependency(self, worker_ctx: Any) -> dict[str, Any]:
        return self.values


def check(schema: Schema, values: Any, section: str = "") -> dict[str, Any]:
    """`values` loaded by `schema`, or `ConfigurationError` with one line that names each fault."""
    try:
        return schema.load(values)
    except ValidationError as invalid:
        faults = "; ".join(_lines(invalid.normalized_messages(), section))
        raise ConfigurationError(f"config: {faults}") from None


def load(path: str | pathlib.Path = DEFAULT_PATH) -> dict[str, Any]:
    """The configuration in `path`, with the environment's values, as `nameko run` reads it; raises
    Nameko's `ConfigurationError`, with one line, for what is no YAML."""
    from nameko.cli.main import setup_yaml_parser  # costs 0.2 s, which services need not pay

    setup_yaml_parser()
    path = pathlib.Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        _check_environment(text)
        loaded = yaml.safe_load(text)
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(f"config: {path.name} can't be read: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"config: {path.name}{_place_of(error)}") from None
    if not isinstance(loaded, dict):
        raise ConfigurationError(f"config: {path.name} holds no settings")
    return loaded


def _check_environment(text: str) -> None:
    """Name the variable whose value is no YAML, which the parser's own error would not."""
    for line in text.splitlines():
        if "!raw_env_var" in line or line.lstrip().startswith("#"):
            continue
        for name in _VARIABLE.findall(line):
            try:
                yaml.safe_load(os.environ.get(name, ""))
            except yaml.YAMLError as error:
                raise ConfigurationError(f"config: {name}{_place_of(error)}") from None


def _place_of(error: yaml.YAMLError) -> str:
    """Where and why; not what stands there, which may be secret."""
    mark = getattr(error, "problem_mark", None)
    why = getattr(error, "problem", None) or "not YAML"
    return f", line {mark.line + 1}, column {mark.column + 1}: {why}" if mark else f": {why}"


def database_url(config: dict[str, Any], package: str) -> str:
    """The database of `package`: that of `<PACKAGE>_DATABASE_URL` in the environment or of
    `DATABASES[package]`, else the one next to `DATABASE_URL`, named `<its database>_<package>`.

    A bare `postgresql://` means psycopg2 here, whatever SQLAlchemy's default is.
    """
    variable = f"{package.upper()}_DATABASE_URL"
    settings = {
        variable: os.environ.get(variable),
        f"DATABASES.{package}": (config.get("DATABASES") or {}).get(package),
        "DATABASE_URL": config.get("DATABASE_URL"),
    }
    name, given = next(((name, url) for name, url in settings.items() if url), ("", ""))
    if not given:
        raise ConfigurationError("config: DATABASE_URL: not set")
    try:
        url = make_url(given)
    except ArgumentError:
        raise ConfigurationError(f"config: {name}: not a database URL") from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigurationError(f"config: {name}: only PostgreSQL will do")
    url = url.set(drivername="postgresql+psycopg2")
    if name == "DATABASE_URL":
        url = url.set(database=f"{url.database or 'shop'}_{package}")
    return url.render_as_string(hide_password=False)


def _lines(messages: Any, path: str) -> list[str]:
    if isinstance(messages, dict):
        return [
            line
            for key, value in messages.items()
            for line in _lines(value, f"{path}.{key}" if path else str(key))
        ]
    return [f"{path}: {' '.join(map(str, messages))}"]
