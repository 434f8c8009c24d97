"""Certificates for an hour."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Signs; its own certificate is in `file`."""

    def __init__(self, directory):
        self.file = directory / "ca.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("an authority")
        is_one = x509.BasicConstraints(ca=True, path_length=None)
        made = _begun(self._name, self._name, self._key).add_extension(is_one, critical=True)
        self.file.write_bytes(_pem(made.sign(self._key, hashes.SHA256())))

    def certify(self, directory, name, address):
        """Write `<name>.pem` and `<name>.key` for a host at an address."""
        key = ec.generate_private_key(ec.SECP256R1())
        host = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        made = _begun(_name(name), self._name, key).add_extension(host, critical=False)
        (directory / f"{name}.pem").write_bytes(_pem(made.sign(self._key, hashes.SHA256())))
        (directory / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


def _begun(subject, issuer, key):
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(hours=1))
    )


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)
