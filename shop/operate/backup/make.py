"""Makes a backup."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chassis import config as configuration
from shop.operate.backup import folder, tools
from shop.operate.backup.snapshot import Instant, instant
from shop.options import CannotTell
from shop.packages import DATABASE_PACKAGES


def make(config: Mapping[str, Any], target: Path, tell: Callable[[str], None]) -> Instant:
    """Write a backup into the new folder `target`, which is not there until it is whole."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise CannotTell("there is something already", target)
    urls = {
        package: configuration.database_url(dict(config), package) for package in DATABASE_PACKAGES
    }
    versions = {package: tools.version_of(url) for package, url in urls.items()}
    found = {version: tools.tools_for(version) for version in versions.values()}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # For nobody else's eyes: it holds people's addresses and the keys that sign tokens.
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise CannotTell("it can't be written there", error.strerror) from None
    try:
        with instant(urls) as moment:
            for package, url in urls.items():
                tell(f"writing {package}")
                dump = folder.dump_of(draft, package)
                form = ("--format=custom", "--no-owner", "--no-privileges")
                snapshot = f"--snapshot={moment.snapshots[package]}"
                place = found[versions[package]]
                tools.run(place, "pg_dump", url, *form, snapshot, f"--file={dump}")
        folder.write(draft, moment.at, max(versions.values()), moment.revisions)
        draft.rename(target)
    except OSError as error:
        raise CannotTell("it can't be written there", error.strerror) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return moment
