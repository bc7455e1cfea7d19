# SPDX-License-Identifier: Apache-2.0
"""One Torizon Cloud account: its keys, packages, lockboxes and every signed role.

The rules of the server live here and nowhere else: versions, what is signed
again by which change, and which plain reads renew something. No HTTP and no
tampering: doors serve what `roles()` returns, `tamper.publish` may spoil it
on the way.
"""

import copy
import fnmatch
import re
from dataclasses import dataclass, field
from datetime import timedelta

from repository import KeyPlan, RootChain, in_days, now, parse_rfc3339, rfc3339
from signer import SignedRole

MAX_LOCKBOXES = 300
LOCKBOX_NAME = re.compile(r"[A-Za-z0-9_-]{1,253}")
SNAPSHOT_RENEWAL_DAYS = 91
ROOT_OUTLIVES_LOCKBOX_DAYS = 180

DIRECTOR_ROLES = ("root", "offline-snapshot", "snapshot", "targets", "timestamp",
                  "offline-updates")
IMAGE_ROLES = ("root", "snapshot", "targets", "timestamp")
# The real director signs both offline roles with one key.
DIRECTOR_BORROWED = {"offline-snapshot": "offline-updates"}
BACKED_UP = ("packages", "delegations", "lockboxes", "_lockbox_versions", "_offline_snapshot",
             "_targets", "_snapshot", "_timestamp")


class Refused(Exception):
    """The server says no: HTTP status, error code, text."""

    def __init__(self, status, code, text):
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


@dataclass
class Lifetimes:
    """Days from signing to expiry."""

    root: int = 365
    role: int = 365
    lockbox: int = 365
    offline_snapshot: int = 365


@dataclass
class Package:
    """`target` is the Uptane target name, which the Platform API calls packageId."""

    target: str
    name: str
    version: str
    hardware_ids: list
    length: int
    sha256: str
    target_format: str = "BINARY"
    uri: str = None
    role: str = "targets"
    created_at: str = field(default_factory=lambda: rfc3339(now()))

    def image_entry(self):
        custom = {
            "name": self.name,
            "version": self.version,
            "hardwareIds": self.hardware_ids,
            "targetFormat": self.target_format,
            "createdAt": self.created_at,
            "updatedAt": self.created_at,
        }
        if self.uri:
            custom["uri"] = self.uri
        return {"hashes": {"sha256": self.sha256}, "length": self.length, "custom": custom}

    def lockbox_entry(self, custom=None):
        return {
            "hashes": {"sha256": self.sha256},
            "length": self.length,
            "custom": {"hardwareIds": self.hardware_ids, **(custom or {})},
        }


@dataclass
class Delegation:
    keys: list
    threshold: int
    paths: list
    terminating: bool
    role: object = None


class Account:
    def __init__(self, key_type="rsa", thresholds=None, lifetimes=None):
        self.lifetimes = lifetimes or Lifetimes()
        self.packages = {}
        self.delegations = {}
        self.lockboxes = {}
        self._lockbox_versions = {}
        self._plan = KeyPlan(key_type, thresholds)
        keys = self._plan.make(
            [f"director/{role}" for role in DIRECTOR_ROLES if role not in DIRECTOR_BORROWED]
            + [f"repo/{role}" for role in IMAGE_ROLES])
        self.director = RootChain("director", DIRECTOR_ROLES, self._plan, keys,
                                  in_days(self.lifetimes.root), DIRECTOR_BORROWED)
        self.image = RootChain("repo", IMAGE_ROLES, self._plan, keys,
                               in_days(self.lifetimes.root))
        self._offline_snapshot = self._targets = self._snapshot = self._timestamp = None
        self._sign_offline_snapshot()
        self._sign_image_roles()

    # What is signed now, and reads that renew.

    def roles(self):
        """{role name: SignedRole}, each after the roles that it lists."""
        roles = {f"director/lockbox:{name}": role for name, role in self.lockboxes.items()}
        roles.update((f"director/{root.version}.root", root) for root in self.director.roots)
        roles["director/offline-snapshot"] = self._offline_snapshot
        roles.update((f"repo/{root.version}.root", root) for root in self.image.roots)
        roles.update((f"repo/delegation:{name}", delegation.role)
                     for name, delegation in self.delegations.items())
        roles["repo/targets"] = self._targets
        roles["repo/snapshot"] = self._snapshot
        roles["repo/timestamp"] = self._timestamp
        return roles

    def renew_offline_snapshot(self):
        """What GET offline-snapshot.json does: sign again when expiry is near."""
        if parse_rfc3339(self._offline_snapshot.signed["expires"]) \
                <= in_days(SNAPSHOT_RENEWAL_DAYS):
            self._sign_offline_snapshot()

    def renew_director_root(self):
        """What GET root.json does: a root that outlives the newest lockbox."""
        if not self.lockboxes:
            return
        newest = max(parse_rfc3339(role.signed["expires"]) for role in self.lockboxes.values())
        needed = newest + timedelta(days=ROOT_OUTLIVES_LOCKBOX_DAYS)
        if parse_rfc3339(self.director.latest.signed["expires"]) < needed:
            self.director.issue(needed)

    def lockbox_version(self, name, version):
        for role in self._lockbox_versions.get(name, []):
            if role.version == version:
                return role
        raise Refused(404, "missing_entity", f"no version {version} of lockbox {name}")

    # Changes.

    def add_package(self, package):
        if package.target in self.packages:
            raise Refused(409, "conflicting_entity", f"package {package.target} exists")
        if package.role != "targets":
            self._delegate(package)
        self.packages[package.target] = package
        self._sign_image_roles(package.role)

    def set_uri(self, target, uri):
        package = self.packages[target]
        package.uri = uri
        self._sign_image_roles(package.role)

    def add_delegation(self, name, paths, terminating=False):
        keys = self._plan.make(["repo/delegation"])["repo/delegation"]
        threshold = self._plan.needed("repo/delegation")
        self.delegations[name] = Delegation(keys, threshold, list(paths), terminating)
        self._sign_image_roles(name)

    def define_lockbox(self, name, targets, expires=None, custom=None):
        """Replaces the contents; `custom` maps a target to what is added to its custom field."""
        if not LOCKBOX_NAME.fullmatch(name):
            raise Refused(400, "invalid_entity", f"'{name}' is no valid lockbox name")
        if name not in self.lockboxes and len(self.lockboxes) >= MAX_LOCKBOXES:
            raise Refused(400, "too_many_lockboxes", f"at most {MAX_LOCKBOXES} lockboxes")
        missing = [target for target in targets if target not in self.packages]
        if missing:
            raise Refused(404, "missing_entity", f"no such package: {', '.join(missing)}")
        custom = custom or {}
        self._sign_lockbox(
            name,
            {target: self.packages[target].lockbox_entry(custom.get(target))
             for target in targets},
            rfc3339(expires or in_days(self.lifetimes.lockbox)))
        self._sign_offline_snapshot()

    def delete_lockbox(self, name):
        if name not in self.lockboxes:
            raise Refused(404, "missing_entity", f"no lockbox {name}")
        del self.lockboxes[name]
        self._sign_offline_snapshot()

    def rotate(self, repository, every_role=False):
        """New root keys; with `every_role` new keys for all, and all roles signed again."""
        chain = self._chain(repository)
        roles = chain.role_names if every_role else ("root",)
        chain.rotate(in_days(self.lifetimes.root), roles)
        self._sign_again(repository, every_role)

    def restart_roots(self, repository):
        """Another history of roots in place of the old one, as an account made anew has it."""
        self._chain(repository).restart(in_days(self.lifetimes.root))
        self._sign_again(repository, True)

    def restart_versions(self, repository):
        """Counts snapshots from 1 again, as a server does that was set up anew with its old keys."""
        if repository == "repo":
            self._snapshot = self._targets = self._timestamp = None
            self._sign_image_roles()
        else:
            self._offline_snapshot = None
            self._sign_offline_snapshot()

    def checkpoint(self):
        """Everything that a backup of the server would hold."""
        state = {name: _copied(getattr(self, name)) for name in BACKED_UP}
        return state, self.director.checkpoint(), self.image.checkpoint()

    def restore(self, checkpoint):
        state, director, image = checkpoint
        for name, value in state.items():
            setattr(self, name, _copied(value))
        self.director.restore(director)
        self.image.restore(image)

    def _chain(self, repository):
        return {"director": self.director, "repo": self.image}[repository]

    def _sign_again(self, repository, every_role):
        if repository == "repo":
            self._sign_image_roles()
        elif every_role:
            for name, role in self.lockboxes.items():
                self._sign_lockbox(name, role.signed["targets"], role.signed["expires"])
            self._sign_offline_snapshot()

    # Signing.

    def _delegate(self, package):
        if package.role not in self.delegations:
            self.add_delegation(package.role, [])
        paths = self.delegations[package.role].paths
        if not any(fnmatch.fnmatchcase(package.target, path) for path in paths):
            paths.append(f"{package.name}-*" if package.target.startswith(f"{package.name}-")
                         else package.target)

    def _sign_lockbox(self, name, targets, expires):
        versions = self._lockbox_versions.setdefault(name, [])
        role = self.director.sign("offline-updates", {
            "targets": targets,
            "expires": expires,
            "version": len(versions) + 1,
            "_type": "Offline-Updates",
        })
        versions.append(role)
        self.lockboxes[name] = role

    def _sign_offline_snapshot(self):
        self._offline_snapshot = self.director.sign("offline-snapshot", {
            "meta": {f"{name}.json": role.listing for name, role in self.lockboxes.items()},
            "expires": rfc3339(in_days(self.lifetimes.offline_snapshot)),
            "version": _next_version(self._offline_snapshot),
            "_type": "Offline-Snapshot",
        })

    def _sign_image_roles(self, changed="targets"):
        """Signs `changed` and everything above it: targets, snapshot, timestamp."""
        expires = rfc3339(in_days(self.lifetimes.role))
        if changed != "targets":
            delegation = self.delegations[changed]
            delegation.role = self._sign_delegation(changed, delegation, expires)
        self._targets = self.image.sign("targets", self._targets_content(expires))
        listed = {"root.json": self.image.latest, "targets.json": self._targets}
        listed.update((f"{name}.json", delegation.role)
                      for name, delegation in self.delegations.items())
        self._snapshot = self.image.sign("snapshot", {
            "meta": {name: role.listing for name, role in listed.items()},
            "expires": expires,
            "version": _next_version(self._snapshot),
            "_type": "Snapshot",
        })
        self._timestamp = self.image.sign("timestamp", {
            "meta": {"snapshot.json": self._snapshot.listing},
            "expires": expires,
            "version": _next_version(self._timestamp),
            "_type": "Timestamp",
        })

    def _sign_delegation(self, name, delegation, expires):
        return SignedRole.make({
            "targets": self._image_entries(name),
            "expires": expires,
            "version": _next_version(delegation.role),
            "_type": "Targets",
        }, delegation.keys, delegation.threshold)

    def _targets_content(self, expires):
        content = {"targets": self._image_entries("targets")}
        if self.delegations:
            keys = [key for delegation in self.delegations.values() for key in delegation.keys]
            content["delegations"] = {
                "roles": [{
                    "name": name,
                    "keyids": [key.keyid for key in delegation.keys],
                    "paths": list(delegation.paths),
                    "threshold": delegation.threshold,
                    "terminating": delegation.terminating,
                } for name, delegation in self.delegations.items()],
                "keys": {key.keyid: key.entry for key in keys},
            }
        return {**content, "expires": expires, "version": _next_version(self._targets),
                "_type": "Targets"}

    def _image_entries(self, role):
        return {package.target: package.image_entry()
                for package in self.packages.values() if package.role == role}


def _copied(value):
    """A role is never changed; what holds roles is."""
    if isinstance(value, dict):
        return {key: copy.copy(held) for key, held in value.items()}
    return value


def _next_version(role):
    return role.version + 1 if role else 1
