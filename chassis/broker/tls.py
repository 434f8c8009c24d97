"""TLS to the broker, for an `amqps://` address: whom to trust, and who we are.

Files are named by `ca_file` (the authorities that may have signed the broker's certificate; the
machine's own when empty), `cert_file` and `key_file` (our own certificate, where the broker asks
for one). The certificate has to be of the host in the address; there is no way to skip that.
"""

import os
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

#: The settings that config.yaml takes these from.
SETTINGS = {"ca_file": "AMQP_CA_FILE", "cert_file": "AMQP_CERT_FILE", "key_file": "AMQP_KEY_FILE"}

#: As py-amqp, and with it kombu and Nameko, calls them.
_OPTIONS = {"ca_file": "ca_certs", "cert_file": "certfile", "key_file": "keyfile"}


def files_of_environment() -> dict[str, str]:
    """For commands, which read no config.yaml."""
    return {name: os.environ.get(setting, "") for name, setting in SETTINGS.items()}


def options(uri: str, files: Mapping[str, str | None]) -> dict[str, Any] | None:
    """The argument `ssl` of py-amqp's connections, and Nameko's setting `AMQP_SSL`; None for an
    address without TLS."""
    parts = urlsplit(uri)
    if parts.scheme != "amqps":
        return None
    given = {option: files[name] for name, option in _OPTIONS.items() if files.get(name)}
    required = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": parts.hostname}
    return given | required | {"tls_minimum_version": ssl.TLSVersion.TLSv1_2}


def context(files: Mapping[str, str | None]) -> ssl.SSLContext:
    """The same for other clients; raises OSError for files that can't be read or are none."""
    made = ssl.create_default_context(cafile=files.get("ca_file") or None)
    if certificate := files.get("cert_file"):
        made.load_cert_chain(certificate, files.get("key_file") or None)
    return made
