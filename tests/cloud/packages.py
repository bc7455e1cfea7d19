# SPDX-License-Identifier: Apache-2.0
"""The bytes of packages on disk: what nginx sends.

objects/KEY      one file per package, as the object store serves it
targets/NAME     hard links by target name, only with --static-targets
"""

import hashlib
import os
import shutil
from pathlib import Path, PurePosixPath

from account import Package, Refused

CHUNK = 1 << 20


class PackageStore:
    def __init__(self, folder, account, static_targets):
        self._objects = Path(folder) / "objects"
        self._targets = Path(folder) / "targets" if static_targets else None
        self._account = account
        self._keys = {}
        self._serial = 0
        self._objects.mkdir(exist_ok=True)
        if self._targets:
            self._targets.mkdir(exist_ok=True)

    def add(self, name, version, hardware_ids, chunks, target=None, **details):
        """`chunks` yields the content; `details` are the other fields of Package."""
        target = target or f"{name}-{version}"
        if target in self._account.packages:
            raise Refused(409, "conflicting_entity", f"package {target} exists")
        part = self._objects / "part"
        digest = hashlib.sha256()
        with part.open("wb") as out:
            for chunk in chunks:
                digest.update(chunk)
                out.write(chunk)
        package = Package(target, name, version, list(hardware_ids), part.stat().st_size,
                          digest.hexdigest(), **details)
        self._account.add_package(package)
        self._install(package, part)
        return package

    def add_ostree(self, name, version, hardware_ids, commit, target=None, **details):
        """A package that is an OSTree commit: its hash, length 0, no bytes here."""
        package = Package(target or f"{name}-{version}", name, version, list(hardware_ids), 0,
                          commit, **details)
        self._account.add_package(package)
        return package

    def key_of(self, target):
        """Name of the object that holds a package's bytes, None where it has none."""
        return self._keys.get(target)

    def target_of(self, key):
        return next((target for target, k in self._keys.items() if k == key), None)

    def file_of(self, key):
        return f"objects/{key}"

    def corrupt(self, target, flip=None, truncate=None, append=None):
        """Serves other bytes than the signed metadata says; the length stays for `flip`."""
        package = self._known(target)
        part = self._objects / "part"
        shutil.copyfile(self._objects / self._keys[target], part)
        with part.open("r+b") as out:
            if flip is not None:
                out.seek(flip)
                byte = out.read(1)
                out.seek(flip)
                out.write(bytes([byte[0] ^ 0xFF]))
            if truncate is not None:
                out.truncate(truncate)
            if append is not None:
                out.seek(0, os.SEEK_END)
                out.write(b"\xA5" * append)
        self._install(package, part)

    def _install(self, package, part):
        """Every install has a key, so an ETag, of its own."""
        self._serial += 1
        key = f"{package.sha256[:16]}-{self._serial}"
        part.rename(self._objects / key)
        self._keys[package.target] = key
        if self._targets and _is_plain_path(package.target):
            link = self._targets / package.target
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            os.link(self._objects / key, link)

    def _known(self, target):
        if target not in self._keys:
            raise Refused(404, "missing_entity", f"no bytes of a package {target}")
        return self._account.packages[target]


def file_chunks(path):
    with open(path, "rb") as source:
        while chunk := source.read(CHUNK):
            yield chunk


def random_chunks(size):
    while size > 0:
        yield os.urandom(min(size, CHUNK))
        size -= CHUNK


def _is_plain_path(name):
    """Hostile names, which tests add on purpose, get no file outside the folder."""
    return not name.startswith("/") and "\0" not in name \
        and ".." not in PurePosixPath(name).parts
