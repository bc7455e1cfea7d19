# SPDX-License-Identifier: Apache-2.0
"""A good lockbox that a case changes in one place, and the register of cases.

Roles are signed bottom up, and what a case changes is changed before the roles above it are signed and
listed: whatever is found wrong is that one thing.
"""

import base64
import copy
import json
from functools import lru_cache
from itertools import count as counter

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from signer import Ed25519Key, RsaKey, canonical, served, sha256

NOW = "2026-11-23T00:00:00Z"
LATER = "2027-11-22T12:00:00Z"
PAST = "2026-11-22T23:59:59Z"

DIRECTOR_ROLES = ("root", "offline-snapshot", "offline-updates", "targets", "snapshot", "timestamp")
IMAGE_ROLES = ("root", "snapshot", "targets", "timestamp")
PRIMARY, SECONDARY, OTHER = "board", "pump-mcu", "press-mcu"

BOX, SNAPSHOT = "director/pump", "director/offline-snapshot"
IMAGE_SNAPSHOT, TARGETS, DELEGATED = "image-repo/snapshot", "image-repo/targets", "image-repo/team"


RSA_KEYS = 3  # they are slow to make, so the roles of a box take turns with these


class EcdsaKey:
    """ECDSA P-256, which the standard allows and today's devices do not know."""

    method = "ecdsa"

    def __init__(self):
        self._private = ec.generate_private_key(ec.SECP256R1())
        public = pem(self._private)
        self.entry = {"keyval": {"public": public}, "keytype": "ECPRIME256V1"}
        self.keyid = sha256(canonical(public))

    def sign(self, data):
        return self._private.sign(data, ec.ECDSA(hashes.SHA256()))


class OddRsaKey:
    """RSA of any size, and other paddings than the cloud's."""

    method = "rsassa-pss-sha256"

    def __init__(self, bits=2048, scheme=None):
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        self._scheme = scheme or padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        public = pem(self._private)
        self.entry = {"keyval": {"public": public}, "keytype": "RSA"}
        self.keyid = sha256(canonical(public))

    def sign(self, data):
        return self._private.sign(data, self._scheme, hashes.SHA256())


def pem(private):
    return private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def entry(content, hardware, custom=None, **more):
    """A target as lockbox and image repository list it; `content` is its bytes."""
    return {"hashes": {"sha256": sha256(content)}, "length": len(content),
            "custom": {"hardwareIds": list(hardware), **(custom or {})}, **more}


BOARD = entry(b"board firmware", [PRIMARY])
PUMP = entry(b"pump firmware", [SECONDARY])


@lru_cache(maxsize=None)
def nth_key(make, n):
    """Boxes share their keys among each other."""
    return make()


class Box:
    """A lockbox in the making. Paths are those of the files, without ".json"."""

    def __init__(self, key=Ed25519Key, count=1):
        serial = counter()
        kinds = RSA_KEYS if key is RsaKey else 1 << 16
        self.make_key = lambda: nth_key(key, next(serial) % kinds)
        roles = [f"director/{role}" for role in DIRECTOR_ROLES] + [f"image-repo/{role}" for role in IMAGE_ROLES]
        self.keys = {role: [self.make_key() for _ in range(count)] for role in (*roles, "team")}
        self.threshold = count
        self.lockboxes = {"pump": {"bootloader-1": copy.deepcopy(BOARD), "pump-2.4": copy.deepcopy(PUMP)}}
        self.targets = {"bootloader-1": with_name(BOARD, "bootloader", "1")}
        self.delegations = {"team": Delegation(["pump-*"], {"pump-2.4": with_name(PUMP, "pump", "2.4")})}
        self.expires = {}
        self.edits, self.document_edits, self.byte_edits = {}, {}, {}
        self.signers = {}
        self.documents, self.files = {}, {}
        self.dropped = set()
        self.trust = {"director": 1, "image-repo": 1}
        self.trust_bytes = {}
        self.roots = {"director": [{}], "image-repo": [{}]}

    # What a case changes.

    def edit(self, path, change):
        """Changes `signed` before it is signed."""
        self.edits.setdefault(path, []).append(change)

    def put(self, path, **fields):
        self.edit(path, lambda signed: signed.update(fields))

    def edit_document(self, path, change):
        """Changes the signed document."""
        self.document_edits.setdefault(path, []).append(change)

    def edit_bytes(self, path, change):
        self.byte_edits[path] = change

    def drop(self, *paths):
        self.dropped.update(paths)

    def rotate(self, repo, roles=("root",)):
        """One more root, with fresh keys for `roles`, signed by old and new root keys."""
        self.roots[repo][-1].setdefault("keys", self._role_keys(repo))
        old = self.keys[f"{repo}/root"]
        for role in roles:
            self.keys[f"{repo}/{role}"] = [self.make_key() for _ in old]
        new = self.keys[f"{repo}/root"]
        self.roots[repo].append({"keys": self._role_keys(repo), "signers": [*old, *new] if old != new else old})

    def delegate(self, name, paths, targets=None, **more):
        self.delegations[name] = Delegation(paths, targets or {}, **more)
        self.keys[name] = [self.make_key()]
        return self.delegations[name]

    # Signing.

    def _role_keys(self, repo):
        roles = DIRECTOR_ROLES if repo == "director" else IMAGE_ROLES
        return {role: list(self.keys[f"{repo}/{role}"]) for role in roles}

    def _sign(self, path, signed, keys):
        signed = copy.deepcopy(signed)
        signed.setdefault("expires", self.expires.get(path, LATER))
        signed.setdefault("version", 1)
        for change in self.edits.get(path, ()):
            change(signed)
        document = {"signatures": [sign(key, signed) for key in self.signers.get(path, keys)],
                    "signed": signed}
        for change in self.document_edits.get(path, ()):
            change(document)
        data = self.byte_edits.get(path, lambda data: data)(served(document))
        self.documents[path], self.files[path] = document, data

    def _listing(self, path):
        return {"hashes": {"sha256": sha256(canonical(self.documents[path]))},
                "length": len(self.files[path]), "version": self.documents[path]["signed"].get("version")}

    def _sign_roots(self, repo):
        for version, plan in enumerate(self.roots[repo], 1):
            role_keys = plan.get("keys") or self._role_keys(repo)
            signed = {"keys": {k.keyid: k.entry for keys in role_keys.values() for k in keys},
                      "roles": {role: {"keyids": [k.keyid for k in keys], "threshold": self.threshold}
                                for role, keys in role_keys.items()},
                      "version": version, "consistent_snapshot": False, "_type": "Root"}
            self._sign(f"{repo}/{version}.root", signed, plan.get("signers") or role_keys["root"])

    def _sign_director(self):
        for name, targets in self.lockboxes.items():
            self._sign(f"director/{name}", {"targets": targets, "_type": "Offline-Updates"},
                       self.keys["director/offline-updates"])
        self._sign(SNAPSHOT, {"meta": {f"{name}.json": self._listing(f"director/{name}")
                                       for name in self.lockboxes}, "_type": "Offline-Snapshot"},
                   self.keys["director/offline-snapshot"])

    def _delegating(self, parent):
        """The "delegations" of a role."""
        children = {n: d for n, d in self.delegations.items() if parent in d.parents}
        if not children:
            return {}
        keys = {k.keyid: k.entry for name in children for k in self.keys[name]}
        roles = [{"name": name, "keyids": [k.keyid for k in self.keys[name]], "threshold": 1,
                  "paths": d.paths, "terminating": d.terminating} for name, d in children.items()]
        return {"delegations": {"keys": keys, "roles": roles}}

    def _sign_image_repo(self):
        for name, delegation in self.delegations.items():
            self._sign(f"image-repo/{name}", {"targets": delegation.targets, **self._delegating(name),
                                              "_type": "Targets"}, self.keys[name][:1])
        self._sign(TARGETS, {"targets": self.targets, **self._delegating("targets"), "_type": "Targets"},
                   self.keys["image-repo/targets"])
        listed = ["targets", *self.delegations]
        meta = {f"{name}.json": self._listing(f"image-repo/{name}") for name in listed}
        meta["root.json"] = {"version": len(self.roots["image-repo"])}
        self._sign(IMAGE_SNAPSHOT, {"meta": meta, "_type": "Snapshot"}, self.keys["image-repo/snapshot"])

    def resign(self, path, change):
        """The document of another day: signed by the same keys, on no stick. After write()."""
        signed = copy.deepcopy(self.documents[path]["signed"])
        change(signed)
        return {"signatures": [sign(key, signed) for key in self.keys[path.removeprefix("image-repo/")
                                                                      if path == DELEGATED else path]],
                "signed": signed}

    def write(self, folder):
        for repo in ("director", "image-repo"):
            self._sign_roots(repo)
        self._sign_director()
        self._sign_image_repo()
        for path, data in self.files.items():
            if path not in self.dropped and path.split("/")[0] not in self.dropped:
                put(folder / f"{path}.json", data)
        for repo, version in self.trust.items():
            data = self.trust_bytes.get(repo, self.files[f"{repo}/{version}.root"])
            put(folder / "trust" / f"{'repo' if repo == 'image-repo' else repo}.json", data)


class Delegation:
    def __init__(self, paths, targets, terminating=False, parents=("targets",)):
        self.paths, self.targets, self.terminating, self.parents = paths, targets, terminating, parents


def with_name(target, name, version, fmt="BINARY"):
    target = copy.deepcopy(target)
    target["custom"].update(name=name, version=version, targetFormat=fmt)
    return target


def sign(key, signed, data=None):
    return {"keyid": key.keyid, "method": key.method,
            "sig": base64.b64encode(key.sign(canonical(signed) if data is None else data)).decode()}


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


CASES = []


def case(valid=True, outcome="install", problems=(), hardware="", lockbox="",
         trust=True, key=Ed25519Key, count=1, name=None):
    """Registers a function that changes a good Box; its name is the case's. No hardware: all that is named.
    What the function returns, called with the signed Box, is the state of the device."""
    def register(change):
        def build(folder):
            box = Box(key, count)
            state = change(box)
            box.write(folder)
            if callable(state):
                put(folder / "device.json", json.dumps({"schema": 1, **state(box)}).encode())
        CASES.append(((name or change.__name__).replace("_", "-").replace("/", "-"), build,
                      (hardware, lockbox, trust, valid, outcome, problems)))
        return change
    return register


def broken(problem, path, **more):
    """Neither valid nor installed, for one reason."""
    return case(False, "refuse", [f"{problem} {path}.json"], **more)


def strict(problem, path, **more):
    """Not valid, and the device installs it all the same."""
    return case(False, "install", [f"{problem} {path}.json"], **more)


def picky(problem, path, **more):
    """Valid, and the device refuses it."""
    return case(True, "refuse", [f"{problem} {path}.json"], **more)


def noted(problem, path, **more):
    """Valid, installed, and worth a word."""
    return case(True, "install", [f"{problem} {path}.json"], **more)
