"""A backup on disk: a dump for each database, and a page that says what they are."""

import datetime
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from shop.options import CannotTell
from shop.packages import DATABASE_PACKAGES

MANIFEST = "backup.json"
FORMAT = 1


class Dump(Schema):
    sha256 = fields.String(required=True)
    #: Of the migrations.
    revision = fields.String(required=True)


class Manifest(Schema):
    """What `backup.json` says."""

    format = fields.Integer(required=True, validate=validate.Equal(FORMAT))
    made_at = fields.AwareDateTime(required=True)
    #: The major version of the servers; of the newest, where there are several.
    postgresql = fields.Integer(required=True)
    databases = fields.Dict(fields.String(), fields.Nested(Dump), required=True)


def dump_of(folder: Path, package: str) -> Path:
    return folder / f"{package}.dump"


def write(
    folder: Path, made_at: datetime.datetime, postgresql: int, revisions: dict[str, str]
) -> None:
    """Add the page to a folder with all dumps: what has none is no backup."""
    databases = {
        package: {"sha256": _hash(dump_of(folder, package)), "revision": revision}
        for package, revision in revisions.items()
    }
    page = {
        "format": FORMAT,
        "made_at": made_at,
        "postgresql": postgresql,
        "databases": databases,
    }
    (folder / MANIFEST).write_text(json.dumps(Manifest().dump(page), indent=2) + "\n")


def read(folder: Path, tell: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """The page, once every dump is known to be whole; raises `CannotTell`."""
    try:
        page = Manifest().loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, ValidationError):
        raise CannotTell("this is no backup", folder) from None
    if missing := set(DATABASE_PACKAGES) - page["databases"].keys():
        raise CannotTell("the backup lacks a database", ", ".join(sorted(missing)))
    for package in DATABASE_PACKAGES:
        path = dump_of(folder, package)
        tell(f"reading {path.name}")
        try:
            whole = _hash(path) == page["databases"][package]["sha256"]
        except OSError:
            whole = False
        if not whole:
            raise CannotTell("the backup is damaged", path.name)
    return page


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
