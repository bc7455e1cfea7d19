# SPDX-License-Identifier: Apache-2.0
"""What the device's client does with a lockbox, told a second time.

src/uptane tells the same story in C, with problems, hints and dates for people. This one was written without a look
at it, from the client's public source (the Torizon fork of aktualizr), and follows the client's own order: what it
reads, what it stores, what it compares. Where both agree on thousands of lockboxes, a misreading would have to be
made twice.

Left out is what the client's lenient JSON parser lets pass: airlock refuses it on purpose, and nothing is generated
that needs it. The bytes of packages are taken to be there.
"""

import base64
import binascii
import ctypes
import hashlib
import json

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

KIB = 1 << 10
ROOT_MAX = LOCKBOX_MAX = SNAPSHOT_MAX = 64 * KIB
OFFLINE_SNAPSHOT_MAX = 64 * KIB  # of the client of 2024; the device's state may say otherwise
TARGETS_MAX = 8 << 20
DELEGATION_LEVELS = 5
SIGNATURES = range(1, 1001)
RSA_BYTES = (256, 384, 512)
RESERVED = ("root", "targets", "snapshot", "timestamp", "offline-snapshot", "offline-updates")

FNMATCH = ctypes.CDLL(None).fnmatch


class Refused(Exception):
    """The client gives up; says why."""


class NothingThere(Exception):
    """The client finds no lockbox."""


class Unknown(Exception):
    """What is known of the device does not tell."""


# JSON values as the client's library hands them out: null where nothing is, and an error only where a value of
# another kind is. Objects are walked in the order of their keys' bytes.

def member(value, key):
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Refused(f"'{key}' is asked of what is no object")
    return value.get(key)


def walk(value):
    if isinstance(value, dict):
        return sorted(value.items(), key=lambda item: item[0].encode())
    return list(enumerate(value)) if isinstance(value, list) else []


def number(value, low=-(1 << 31), high=(1 << 31) - 1):
    value = 0 if value is None else value
    if not isinstance(value, (int, float)) or not low <= value <= high:
        raise Refused(f"{value!r} is no number that fits")
    return int(value)


def text(value):
    if value is None:
        return ""
    if not isinstance(value, (str, int)):
        raise Refused(f"{value!r} is no text")
    return str(value)


def integral(value):
    return isinstance(value, int) and not isinstance(value, bool)


def parse(data):
    try:
        return json.loads(data)
    except ValueError:
        raise Refused("no JSON") from None


def version_of(data):
    """Before anything is verified; -1 where there is none."""
    version = member(member(parse(data), "signed"), "version") if data is not None else None
    return number(version) if integral(version) else -1


def canonical(value):
    """What is signed and hashed: the client escapes all that is not ASCII."""
    raw = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return raw.encode() if raw.isascii() else "".join(c if c.isascii() else json.dumps(c)[1:-1] for c in raw).encode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def role_name(name, delegation=False):
    """The name by which the client compares roles."""
    if delegation:
        if name.lower() in RESERVED:
            raise Refused(f"a delegation with the name '{name}'")
        return name
    return name.lower() if name.lower() in RESERVED else "invalidrole"


# Signatures

def verifies(key, signature, data):
    kind = text(member(key, "keytype")).lower()
    keyval = member(key, "keyval")
    public = keyval.get("public") if isinstance(keyval, dict) else None
    if not isinstance(public, str):
        return False
    return (verifies_ed25519 if kind == "ed25519" else verifies_rsa)(public, signature, data)


def verifies_ed25519(public, signature, data):
    try:
        public, signature = bytes.fromhex(public), decode_base64(signature)
    except ValueError:
        raise Refused("a key that is not in hexadecimal digits") from None
    if len(public) < 32 or len(signature) < 64:
        return False
    return holds(lambda: ed25519.Ed25519PublicKey.from_public_bytes(public[:32]).verify(signature[:64], data))


def verifies_rsa(public, signature, data):
    try:
        key = serialization.load_pem_public_key(public.encode())
    except (ValueError, UnsupportedAlgorithm):
        return False
    if not isinstance(key, rsa.RSAPublicKey) or (key.key_size + 7) // 8 not in RSA_BYTES:
        return False
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
    return holds(lambda: key.verify(decode_base64(signature), data, scheme, hashes.SHA256()))


def holds(verify):
    try:
        verify()
    except InvalidSignature:
        return False
    return True


def decode_base64(signature):
    try:
        return base64.b64decode(signature, validate=True)
    except binascii.Error:
        raise Refused("a signature that is not base64") from None


class Signed:
    """A role that was read: who signs on its behalf, and until when it holds."""

    def __init__(self, document):
        self.document, self.signed = document, member(document, "signed")
        if self.signed is None:
            raise Refused("nothing signed")
        self.keys, self.key_ids, self.thresholds = {}, {}, {}
        self.version = number(member(self.signed, "version"))
        self.expires = text(member(self.signed, "expires"))
        if len(self.expires) != 20 or self.expires[19] != "Z":
            raise Refused("no date")

    def add_keys(self, keys):
        for key_id, key in walk(keys):
            if text(member(key, "keytype")).lower() not in ("rsa", "ed25519"):
                raise Refused("a key of another type")
            self.keys[key_id] = key

    def add_role(self, name, entry):
        if name == "invalidrole":
            return
        threshold = number(member(entry, "threshold"), -(1 << 63), (1 << 63) - 1)
        if threshold not in SIGNATURES:
            raise Refused(f"a threshold of {threshold}")
        self.thresholds[name] = threshold
        self.key_ids.setdefault(name, set()).update(text(k) for _, k in walk(member(entry, "keyids")))

    def verify(self, name, document, delegation=False):
        """`document` is the role `name`, signed by enough of those whom this one names."""
        signed, signatures = member(document, "signed"), member(document, "signatures")
        if role_name(text(member(signed, "_type"))) != ("targets" if delegation else name):
            raise Refused(f"another role in place of '{name}'")
        data, good, seen = canonical(signed), 0, set()
        for _, signature in walk(signatures):
            key_id = text(member(signature, "keyid"))
            if key_id in seen:
                raise Refused("a key signs twice")
            seen.add(key_id)
            if text(member(signature, "method")).lower() not in ("rsassa-pss", "rsassa-pss-sha256", "ed25519"):
                raise Refused("a signature of another method")
            if key_id in self.keys and key_id in self.key_ids.get(name, ()):
                good += verifies(self.keys[key_id], text(member(signature, "sig")), data)
        if good < self.thresholds.get(name, 1 << 30):
            raise Refused(f"too few signatures for '{name}'")

    def require_date(self, now, what):
        if self.expires < now:
            raise Refused(f"'{what}' has expired")


class Root(Signed):
    def __init__(self, data, before=None):
        super().__init__(parse(data))
        for field in ("keys", "roles"):
            if field not in self.signed:
                raise Refused(f"a root without '{field}'")
        self.add_keys(self.signed["keys"])
        for name, entry in walk(self.signed["roles"]):
            self.add_role(role_name(name), entry)
        if before:
            before.verify("root", self.document)
        self.verify("root", self.document)
        if before and self.version != before.version + 1:
            raise Refused(f"root {self.version} after {before.version}")


class Snapshot(Signed):
    def __init__(self, data, name, root):
        document = parse(data) if data is not None else None
        if document is None:
            raise Refused(f"no '{name}'")
        root.verify(name, document)
        super().__init__(document)
        meta = member(self.signed, "meta")
        if not isinstance(meta, dict) or self.signed["_type"] not in ("Snapshot", "Offline-Snapshot"):
            raise Refused(f"'{name}' is no snapshot")
        self.names, self.versions, self.hashes = [], {}, {}
        for file, entry in walk(meta):
            self.add(file.rpartition(".")[0] if "." in file else file, entry)

    def add(self, name, entry):
        if not integral(member(entry, "version")) or isinstance(member(entry, "length"), dict):
            raise Refused(f"the snapshot's entry '{name}'")
        key = role_name(name, name not in RESERVED)
        self.names.append(name)
        self.versions[key] = number(entry["version"])
        listed = member(entry, "hashes")
        self.hashes.setdefault(key, []).extend(walk(listed) if isinstance(listed, dict) else [])

    def require_hashes(self, name, document):
        for kind, digest in self.hashes.get(name, ()):
            if kind in ("sha256", "sha512") and hashlib.new(kind, canonical(document)).hexdigest() != digest.lower():
                raise Refused(f"'{name}' has another hash")


class Targets(Signed):
    """The lockbox, the image repository's targets, a delegation."""

    def __init__(self, data, name, signer, delegation=False):
        document = parse(data)
        signer.verify(name, document, delegation)
        super().__init__(document)
        if self.signed["_type"] not in ("Targets", "Offline-Updates"):
            raise Refused(f"'{name}' is no targets role")
        self.targets = [Target(n, entry) for n, entry in walk(member(self.signed, "targets"))]
        self.delegated, self.paths, self.terminating = [], {}, {}
        delegations = member(self.signed, "delegations")
        if isinstance(delegations, dict):
            self.add_keys(delegations.get("keys"))
            for _, entry in walk(delegations.get("roles")):
                child = role_name(text(member(entry, "name")), True)
                self.delegated.append(child)
                self.add_role(child, entry)
                self.paths[child] = [text(p) for _, p in walk(member(entry, "paths"))]
                self.terminating[child] = bool(member(entry, "terminating"))


class Target:
    def __init__(self, name, entry):
        self.name = name
        self.length = number(member(entry, "length"), 0, (1 << 64) - 1)
        self.hashes = {kind: text(h).lower() for kind, h in walk(member(entry, "hashes"))
                       if kind in ("sha256", "sha512")}
        custom = member(entry, "custom")
        self.hardware = [text(h) for _, h in walk(member(custom, "hardwareIds"))]
        self.ecus = {serial: text(member(e, "hardwareId")) for serial, e in walk(member(custom, "ecuIdentifiers"))}
        self.format = text(member(custom, "targetFormat"))

    def is_ostree(self):
        return self.format == "OSTREE" or (not self.format and self.length == 0)

    def matches(self, other):
        """Of one content, and for the same ECUs as far as both know them."""
        if (self.name, self.length) != (other.name, other.length):
            return False
        if (self.hardware, self.ecus) != (other.hardware, other.ecus):
            if bool(self.ecus) == bool(other.ecus):
                return False
            with_ecus, without = (self, other) if self.ecus else (other, self)
            if not set(with_ecus.ecus.values()) <= set(without.hardware):
                return False
        both = self.hashes.keys() & other.hashes.keys()
        return bool(both) and all(self.hashes[k] == other.hashes[k] for k in both)


# What a client reads and keeps. The primary has one of these, and every ECU behind it has, too.

class Client:
    def __init__(self, stick, now, serials, snapshot_max=OFFLINE_SNAPSHOT_MAX):
        self.stick, self.now, self.serials, self.snapshot_max = stick, now, serials, snapshot_max
        self.roots = {"director": {}, "image-repo": {}}  # the stored bytes by version
        self.stored = {"director": {}, "image-repo": {}}
        self.delegations = {}
        self.root = {}

    def fetch(self, repo, name, limit):
        """None where it is not there, or larger than the client reads."""
        path = self.stick / repo / f"{name}.json"
        return path.read_bytes() if path.exists() and path.stat().st_size <= limit else None

    def require(self, repo, name, limit):
        data = self.fetch(repo, name, limit)
        if data is None:
            raise Refused(f"'{repo}/{name}' is not there, or too large")
        return data

    def update_root(self, repo):
        if not self.roots[repo]:
            raise Refused(f"no root of {repo} to start from")
        root = Root(self.roots[repo][max(self.roots[repo])])
        while (data := self.fetch(repo, f"{root.version + 1}.root", ROOT_MAX)) is not None:
            root = Root(data, root)
            self.roots[repo][root.version] = data
            self.stored[repo].clear()
        root.require_date(self.now, f"{repo}/root")
        self.root[repo] = root

    def newest(self, repo, name, data):
        """The stick's, where it is newer than what is stored; whether it is."""
        stored = self.stored[repo].get(name)
        newer = version_of(stored) < version_of(data)
        if newer:
            self.stored[repo][name] = data
        return (data, stored) if newer else (stored, stored)

    def update_director(self):
        self.update_root("director")
        data, before = self.newest("director", "offline-snapshot",
                                   self.require("director", "offline-snapshot", self.snapshot_max))
        snapshot = Snapshot(data, "offline-snapshot", self.root["director"])
        require_no_rollback(snapshot, before)
        snapshot.require_date(self.now, "offline-snapshot")
        name = next((n for n in snapshot.names if (self.stick / "director" / f"{n}.json").exists()), "")
        if not name:
            raise NothingThere()
        data = self.require("director", role_name(name, True), LOCKBOX_MAX)
        if number(member(member(parse(data), "signed"), "version")) != snapshot.versions[role_name(name, True)]:
            raise Refused("the lockbox is of another version")
        self.lockbox = Targets(data, "offline-updates", self.root["director"])
        self.assign_ecus()
        self.lockbox.require_date(self.now, "lockbox")
        if self.lockbox.delegated:
            raise Refused("a lockbox that delegates")
        serials = [serial for target in self.lockbox.targets for serial in target.ecus]
        if len(serials) != len(set(serials)):
            raise Refused("two targets for one ECU")

    def assign_ecus(self):
        for target in self.lockbox.targets:
            for serial, hardware in self.serials.items():
                if hardware in target.hardware:
                    target.ecus.setdefault(serial, hardware)

    def update_image_repo(self):
        self.update_root("image-repo")
        root = self.root["image-repo"]
        data, _ = self.newest("image-repo", "snapshot", self.require("image-repo", "snapshot", SNAPSHOT_MAX))
        self.snapshot = Snapshot(data, "snapshot", root)
        data, _ = self.newest("image-repo", "targets", self.require("image-repo", "targets", TARGETS_MAX))
        if data is None:
            raise Refused("no 'targets'")
        self.snapshot.require_hashes("targets", parse(data))
        self.targets = Targets(data, "targets", root)
        if self.targets.version != self.snapshot.versions.get("targets", -1):
            raise Refused("'targets' is of another version than the snapshot says")
        self.targets.require_date(self.now, "targets")

    def delegation(self, name, parent):
        listed = self.snapshot.versions.get(name, -1)
        data = self.delegations.get(name)
        if data is not None and version_of(data) > listed:
            raise Refused(f"an older '{name}' than the stored one")
        fetched = data is None or version_of(data) < listed
        if fetched:
            data = self.require("image-repo", name, TARGETS_MAX)
        self.snapshot.require_hashes(name, parse(data))
        role = Targets(data, name, parent, delegation=True)
        if fetched and role.version != listed:
            raise Refused(f"'{name}' is of another version than the snapshot says")
        self.delegations[name] = data
        return role

    def find(self, target, role, level=0, terminating=False):
        if any(entry.matches(target) for entry in role.targets):
            return True
        if terminating or level >= DELEGATION_LEVELS:
            return False
        for name in role.delegated:
            if not any(FNMATCH(p.encode(), target.name.encode(), 0) == 0 for p in role.paths[name]):
                continue
            child = self.delegation(name, role)
            if child.expires >= self.now and self.find(target, child, level + 1, role.terminating[name]):
                return True
        return False


def require_no_rollback(snapshot, before):
    old = member(member(parse(before), "signed"), "meta") if before is not None else None
    for file, entry in walk(member(snapshot.signed, "meta")):
        if isinstance(old, dict) and file in old:
            if number(member(old[file], "version")) > number(member(entry, "version")):
                raise Refused(f"an older '{file}' than the device has seen")


# The device: a primary, and ECUs behind it

def decide(stick, roots, hardware_ids, now, state=None):
    """What the device does: ("install" | "refuse" | "nothing", why).

    stick         folder with director/ and image-repo/
    roots         {"director": bytes, "image-repo": bytes}, where its state does not have them
    hardware_ids  the first is the primary's, where its state does not name its ECUs
    now           by its own clock, as in metadata
    state         as in docs/device-state.md
    """
    state = state or {}
    try:
        device = Device(stick, roots, hardware_ids, now, state)
        return ("install", "") if device.install() else ("nothing", "")
    except NothingThere:
        return "nothing", ""
    except Refused as refused:
        return "refuse", str(refused)


class Device:
    def __init__(self, stick, roots, hardware_ids, now, state):
        self.state = state
        ecus = state.get("ecus") or [{"hardware_id": h, "primary": not i} for i, h in enumerate(hardware_ids)]
        self.ecus = {e.get("serial") or f"ecu-{i}": e for i, e in enumerate(ecus)}
        self.serials = {serial: e["hardware_id"] for serial, e in self.ecus.items()}
        self.client = Client(stick, now, self.serials, state.get("offline_snapshot_max", OFFLINE_SNAPSHOT_MAX))
        for repo, field in (("director", "director"), ("image-repo", "image_repo")):
            known = [unparse(r) for r in state.get("roots", {}).get(field, ())] or [roots[repo]]
            self.client.roots[repo] = {n: data for n, data in enumerate(known, version_held(known[0]))}
        self.load_stored(state.get("stored", {}))

    def load_stored(self, stored):
        for field, repo, name in (("offline_snapshot", "director", "offline-snapshot"),
                                  ("image_snapshot", "image-repo", "snapshot"),
                                  ("image_targets", "image-repo", "targets")):
            if stored.get(field) is not None and (data := self.stored(repo, name, stored[field])) is not None:
                self.client.stored[repo][name] = data
        for name, delegation in stored.get("delegations", {}).items():
            if (data := self.stored("image-repo", name, delegation)) is not None:
                self.client.delegations[name] = data

    def stored(self, repo, name, role):
        """The bytes of a stored role. Of one that is known by its version alone: None where it does not count,
        else what cannot be verified, so that a client which goes by it refuses."""
        if "signed" in role:
            return unparse(role)
        data = self.client.fetch(repo, name, TARGETS_MAX)
        here = version_of(data)
        same = here == role["version"] and role.get("sha256") in (None, sha256(canonical(parse(data))))
        return None if role["version"] < here or same else unparse({"signed": {"version": role["version"]}})

    def install(self):
        """Whether there is anything to do."""
        if self.state.get("pending_install"):
            raise Refused("an update waits for its reboot")
        self.client.update_director()
        new = [target for target in self.client.lockbox.targets if self.is_new(target)]
        if not new:
            return False
        self.client.update_image_repo()
        for target in new:
            if not self.client.find(target, self.client.targets):
                raise Refused(f"'{target.name}' is not in the image repository")
        self.client.snapshot.require_date(self.client.now, "snapshot")  # looked at when packages are fetched
        for target in new:
            self.require_fetchable(target)
        for target in new:
            for serial in sorted(target.ecus):
                if not self.ecus[serial].get("primary"):
                    self.update_secondary(self.ecus[serial])
        return True

    def is_new(self, target):
        new = False
        for serial in sorted(target.ecus):
            if self.serials.get(serial) != target.ecus[serial]:
                raise Refused("an ECU that is not there")
            if installed := self.ecus[serial].get("installed"):
                current = self.installed(serial, installed, target)
                if not current.matches(target):
                    if current.name == target.name:
                        raise Refused(f"'{target.name}' is installed with other content")
                    new = True
            else:
                new = True
            if self.ecus[serial].get("primary") and self.state.get("package_manager") == "ostree" \
                    and not target.is_ostree():
                raise Refused("a file for a primary with OSTree")
        return new

    def installed(self, serial, installed, target):
        entry = {"length": installed["length"], "hashes": {"sha256": installed["sha256"]},
                 "custom": {"hardwareIds": installed.get("hardware_ids", target.hardware),
                            "ecuIdentifiers": {serial: {"hardwareId": self.serials[serial]}}}}
        return Target(installed["name"], entry)

    def require_fetchable(self, target):
        if not target.is_ostree() and target.length == 0:
            raise Refused("the client divides by the length of a file")
        primary = any(self.ecus[serial].get("primary") for serial in target.ecus)
        if primary and target.is_ostree() and self.state.get("package_manager") == "none":
            raise Refused("OSTree for a primary without")

    def update_secondary(self, ecu):
        """It is handed the roots up to the last but one, and reads all the rest from the stick."""
        client = Client(self.client.stick, self.client.now, self.serials, self.client.snapshot_max)
        for repo, field in (("director", "director"), ("image-repo", "image_repo")):
            self.rotate_secondary(client, repo, ecu.get("roots", {}).get(field, 0))
        try:
            client.update_director()
        except NothingThere:
            raise Refused("an ECU behind the primary finds no lockbox") from None
        client.update_image_repo()

    def rotate_secondary(self, client, repo, has):
        ours = self.client.roots[repo]
        if has > max(ours):
            raise Unknown("a root that the primary has never seen")
        if has:
            data, root = self.known_root(repo, has)
            client.roots[repo][has] = data
        for version in range(has + 1, max(ours)):
            data = ours.get(version) or self.client.fetch(repo, f"{version}.root", ROOT_MAX)
            if data is None:
                raise Refused(f"no {repo}/{version}.root for an ECU behind the primary")
            try:
                root = Root(data, root if version > 1 else None)
                if root.version != version:
                    raise Refused(f"another version in {version}.root")
            except Refused:
                if version > 1:
                    raise
                return  # the primary takes it for one that cannot rotate, and goes on
            client.roots[repo][version] = data

    def known_root(self, repo, version):
        data = self.client.roots[repo].get(version) or self.client.fetch(repo, f"{version}.root", ROOT_MAX)
        if data is None:
            raise Unknown(f"{repo}/{version}.root is nowhere")
        try:
            return data, Root(data)
        except Refused:
            raise Unknown(f"the stick's {repo}/{version}.root is not the ECU's") from None


def version_held(root):
    try:
        return version_of(root)
    except Refused:
        return 1  # the client will say so when it comes to it


def unparse(value):
    return json.dumps(value).encode()
