# SPDX-License-Identifier: Apache-2.0
"""An independent judge of signed roles, for the self-test only.

It shares no code with the signer: what it does not complain about is good by
the device contract, and a tampered role must make it complain about exactly
the defect that was asked for. It reads leniently and goes on after a defect,
as no product should.
"""

import base64
import fnmatch
import hashlib
import json
import re
from datetime import datetime, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TYPES = {"director": {"offline-snapshot": "Offline-Snapshot", "lockbox": "Offline-Updates"},
         "repo": {"snapshot": "Snapshot", "targets": "Targets", "timestamp": "Timestamp",
                  "delegation": "Targets"}}
MAX_ROLE_BYTES = 8 << 20


class Referee:
    """judge() with every role's bytes by name, as Account.roles() names them."""

    def __init__(self, documents, lockbox):
        self._bytes = documents
        self._lockbox = lockbox
        self.defects = set()

    def judge(self):
        director = self._root_chain("director")
        image = self._root_chain("repo")
        snapshot = self._role("director", "offline-snapshot", director, "offline-snapshot")
        name = f"lockbox:{self._lockbox}"
        lockbox = self._role("director", name, director, "offline-updates")
        self._compare(snapshot, f"{self._lockbox}.json", f"director/{name}", lockbox)

        image_snapshot = self._role("repo", "snapshot", image, "snapshot")
        timestamp = self._role("repo", "timestamp", image, "timestamp")
        targets = self._role("repo", "targets", image, "targets")
        self._compare(timestamp, "snapshot.json", "repo/snapshot", image_snapshot)
        self._compare(image_snapshot, "targets.json", "repo/targets", targets)
        known = dict((targets or {}).get("targets", {}))
        delegations = (targets or {}).get("delegations", {"roles": [], "keys": {}})
        for entry in delegations["roles"]:
            signed = self._delegation(entry, delegations["keys"])
            self._compare(image_snapshot, f"{entry['name']}.json",
                          f"repo/delegation:{entry['name']}", signed)
            for target, value in (signed or {}).get("targets", {}).items():
                if any(fnmatch.fnmatchcase(target, path) for path in entry["paths"]):
                    known.setdefault(target, value)
        for target, value in (lockbox or {}).get("targets", {}).items():
            self._compare_target(target, value, known.get(target))
        return self.defects

    def _complain(self, role, defect):
        self.defects.add(f"{role}: {defect}")

    def _read(self, role):
        """The parsed document or None; complains about form."""
        data = self._bytes.get(role)
        if data is None:
            self._complain(role, "missing")
            return None
        if len(data) > MAX_ROLE_BYTES:
            self._complain(role, "too big")
        if data.startswith(b"\xef\xbb\xbf"):
            self._complain(role, "byte order mark")
            data = data[3:]
        if any(byte > 127 for byte in data):
            self._complain(role, "not ASCII")

        def pairs(members):
            if len({key for key, _ in members}) < len(members):
                self._complain(role, "duplicate key")
            return dict(members)
        try:
            text = data.decode()
            document, end = json.JSONDecoder(object_pairs_hook=pairs).raw_decode(text)
        except RecursionError:
            self._complain(role, "too deep")
            return None
        except ValueError:
            self._complain(role, "no JSON")
            return None
        if text[end:].strip():
            self._complain(role, "trailing bytes")
        return document

    def _root_chain(self, repository):
        """The signed part of the latest root."""
        numbers = sorted(int(name.split("/")[1].split(".")[0]) for name in self._bytes
                         if name.startswith(f"{repository}/") and name.endswith(".root"))
        trusted = None
        for number in range(1, numbers[-1] + 1):
            name = f"{repository}/{number}.root"
            document = self._read(name)
            if document is None:
                continue
            signed = document["signed"]
            self._check_signed(name, document, signed["keys"], signed["roles"]["root"], "Root")
            if trusted:
                self._check_signatures(name, document, trusted["keys"], trusted["roles"]["root"],
                                       "predecessor's ")
            if signed["version"] != number:
                self._complain(name, "version differs")
            trusted = signed
        return trusted

    def _role(self, repository, name, root, key_role):
        full = f"{repository}/{name}"
        document = self._read(full)
        if document is None:
            return None
        expected = TYPES[repository][name.split(":")[0]]
        self._check_signed(full, document, root["keys"], root["roles"][key_role], expected)
        return document["signed"]

    def _delegation(self, entry, keys):
        name = f"repo/delegation:{entry['name']}"
        document = self._read(name)
        if document is None:
            return None
        self._check_signed(name, document, keys, entry, "Targets")
        return document["signed"]

    def _check_signed(self, role, document, keys, rule, expected_type):
        signed = document["signed"]
        self._check_signatures(role, document, keys, rule)
        if signed["_type"] != expected_type:
            self._complain(role, "wrong type")
        try:
            expires = datetime.strptime(signed["expires"], "%Y-%m-%dT%H:%M:%SZ")
            if expires.replace(tzinfo=timezone.utc) < datetime.now(timezone.utc):
                self._complain(role, "expired")
        except ValueError:
            self._complain(role, "bad expiry")

    def _check_signatures(self, role, document, keys, rule, whose=""):
        message = _canonical(document["signed"])
        keyids = [one["keyid"] for one in document["signatures"]]
        if len(set(keyids)) < len(keyids):
            self._complain(role, "repeated keyid")
        valid = set()
        for one in document["signatures"]:
            if one["method"] not in ("rsassa-pss-sha256", "ed25519"):
                self._complain(role, "odd method")
            elif one["keyid"] in rule["keyids"] and _verifies(keys[one["keyid"]], one, message):
                valid.add(one["keyid"])
        if len(valid) < rule["threshold"]:
            self._complain(role, f"too few valid {whose}signatures")

    def _compare(self, catalogue, entry, role, signed):
        if catalogue is None or signed is None:
            return
        listed = catalogue["meta"].get(entry)
        if listed is None:
            self._complain(role, "not listed")
            return
        if listed["version"] != signed["version"]:
            self._complain(role, "version differs")
        data = self._bytes[role]
        if listed["length"] != len(data):
            self._complain(role, "length differs")
        text = data.decode("utf-8-sig")
        document, _ = json.JSONDecoder().raw_decode(text)
        if listed["hashes"]["sha256"] != hashlib.sha256(_canonical(document)).hexdigest():
            self._complain(role, "hash differs")

    def _compare_target(self, name, in_lockbox, in_image):
        if in_image is None:
            self._complain(name, "not in the image repository")
        elif in_image["hashes"] != in_lockbox["hashes"]:
            self._complain(name, "hash differs")
        elif in_image["length"] != in_lockbox["length"]:
            self._complain(name, "length differs")
        elif set(in_lockbox["custom"]["hardwareIds"]) != set(in_image["custom"]["hardwareIds"]):
            self._complain(name, "hardware ids differ")


def _canonical(value):
    """Written out by hand, since the signer uses json.dumps."""
    if isinstance(value, dict):
        members = sorted((key.encode(), member) for key, member in value.items())
        return b"{" + b",".join(_canonical(key.decode()) + b":" + _canonical(member)
                                for key, member in members) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(_canonical, value)) + b"]"
    if isinstance(value, bool) or value is None:
        return {True: b"true", False: b"false", None: b"null"}[value]
    if isinstance(value, int):
        return str(value).encode()
    escaped = re.sub(r'["\\\x00-\x1f]', _escape, value)
    return f'"{escaped}"'.encode()


def _escape(match):
    short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r",
             "\t": "\\t"}
    return short.get(match[0]) or f"\\u{ord(match[0]):04x}"


def _verifies(key, one, message):
    try:
        signature = base64.b64decode(one["sig"])
        public = key["keyval"]["public"]
        if key["keytype"] == "ED25519":
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(signature, message)
        else:
            serialization.load_pem_public_key(public.encode()).verify(
                signature, message, padding.PSS(padding.MGF1(hashes.SHA256()), 32),
                hashes.SHA256())
        return True
    except InvalidSignature:
        return False
