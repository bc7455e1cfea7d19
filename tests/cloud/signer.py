# SPDX-License-Identifier: Apache-2.0
"""Keys, canonical JSON and signatures of Uptane roles.

The code under test never sees this file's results through its own eyes: every
signature here is made by python3-cryptography and every canonical form by
Python's json module, so a mistake in the C code cannot cancel itself out.
"""

import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

PSS_SALT_LENGTH = 32


def canonical(value):
    """Keys sorted by their UTF-8 bytes, no white space, raw UTF-8, minimal escapes.

    Python sorts text by code point, which is the order of the UTF-8 bytes.
    """
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":")
    ).encode()


def served(value):
    """The bytes a server sends: compact, but in insertion order.

    Roles are built with "_type" last, as the real server writes them, so that
    these bytes never equal the canonical form.
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class RsaKey:
    """RSA-2048, signing with RSASSA-PSS over SHA-256: what real accounts use."""

    method = "rsassa-pss-sha256"

    def __init__(self):
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = self._private.public_key().public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        ).decode()
        self.entry = {"keyval": {"public": public}, "keytype": "RSA"}
        self.keyid = sha256(canonical(public.rstrip("\n")))

    def sign(self, data):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), PSS_SALT_LENGTH)
        return self._private.sign(data, pss, hashes.SHA256())


class Ed25519Key:
    method = "ed25519"

    def __init__(self):
        self._private = ed25519.Ed25519PrivateKey.generate()
        public = self._private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        ).hex()
        self.entry = {"keyval": {"public": public}, "keytype": "ED25519"}
        self.keyid = sha256(canonical(public))

    def sign(self, data):
        return self._private.sign(data)


KEY_TYPES = {"rsa": RsaKey, "ed25519": Ed25519Key}


def make_keys(key_type, count):
    """`count` fresh keys; RSA generation releases the interpreter lock, so threads help."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda _: KEY_TYPES[key_type](), range(count)))


def signature(key, signed):
    return {
        "keyid": key.keyid,
        "method": key.method,
        "sig": base64.b64encode(key.sign(canonical(signed))).decode(),
    }


@dataclass(frozen=True)
class SignedRole:
    """One signed role, and what is needed to sign an altered copy of it.

    signers    keys of the role itself
    also       keys that sign as well: of a root, those of its predecessor
    data       the bytes as served
    """

    signed: dict
    signers: tuple
    threshold: int
    also: tuple
    signatures: list
    data: bytes

    @classmethod
    def make(cls, signed, signers, threshold=1, also=()):
        signatures = [signature(key, signed) for key in (*signers, *also)]
        return cls(signed, tuple(signers), threshold, tuple(also), signatures, b"") \
            .with_signatures(signatures)

    def with_signed(self, signed):
        """Other content, properly signed by the same keys."""
        return SignedRole.make(signed, self.signers, self.threshold, self.also)

    def with_signatures(self, signatures):
        data = served({"signatures": signatures, "signed": self.signed})
        return replace(self, signatures=signatures, data=data)

    @property
    def document(self):
        return {"signatures": self.signatures, "signed": self.signed}

    @property
    def version(self):
        return self.signed["version"]

    @cached_property
    def listing(self):
        """This role's entry in a snapshot or timestamp.

        The hash is over the canonical form of the whole document, not over the
        bytes served; the length is that of the bytes served.
        """
        return {
            "hashes": {"sha256": sha256(canonical(self.document))},
            "length": len(self.data),
            "version": self.version,
        }
