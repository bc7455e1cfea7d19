# SPDX-License-Identifier: Apache-2.0
"""Who answers for whom: one authority for the servers, one for the device gateway, one for the devices.

A device trusts the gateway by the authority that its credentials name, and no other.
"""

import ipaddress
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from repository import now


class Authority:
    """Signs certificates with a key that nobody else has."""

    def __init__(self, common_name):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(common_name)
        self._certificate = _certificate(self._name, self._name, self._key.public_key()) \
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True) \
            .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False),
                           critical=True) \
            .sign(self._key, hashes.SHA256())

    def pem(self):
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def certify(self, common_name, hosts=()):
        """(private key, certificate) in PEM; `hosts` makes it a server's."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _certificate(_name(common_name), self._name, key.public_key()) \
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                 serialization.NoEncryption()), \
            certificate.public_bytes(serialization.Encoding.PEM)


def write_certificates(folder, device_authority):
    """ca.pem, and server.pem with server.key for localhost and 127.0.0.1, signed by it; the same for the
    device gateway (dgw-ca.pem, dgw.pem, dgw.key); device-ca.pem, by which it knows devices."""
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    for authority, name, ca_name in ((Authority("Rehearsal cloud CA"), "server", "ca"),
                                     (Authority("Rehearsal cloud device gateway CA"), "dgw", "dgw-ca")):
        key, certificate = authority.certify("localhost", hosts)
        (folder / f"{ca_name}.pem").write_bytes(authority.pem())
        (folder / f"{name}.pem").write_bytes(certificate)
        key_file = folder / f"{name}.key"
        key_file.touch(mode=0o600)
        key_file.write_bytes(key)
    (folder / "device-ca.pem").write_bytes(device_authority.pem())


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(subject, issuer, public_key):
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
            .public_key(public_key).serial_number(x509.random_serial_number())
            .not_valid_before(now() - timedelta(days=1))
            .not_valid_after(now() + timedelta(days=365)))
