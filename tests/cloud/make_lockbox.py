#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Makes a plain lockbox directory, good or broken, without any server.

    OUT/update/metadata/director/    root.json, N.root.json, offline-snapshot.json, NAME.json
    OUT/update/metadata/image-repo/  N.root.json, timestamp, snapshot, targets, delegations
    OUT/update/images/               the targets' bytes
    OUT/trust/{director,repo}/root.json   the first roots, never tampered with

Keys, and so signatures and the hashes over them, differ in every run. With
--at nothing else does.
"""

import argparse
import hashlib
import sys
from pathlib import Path, PurePosixPath

from account import Account, Package, Refused
from arguments import parse_pair, parse_threshold
from repository import fix_time, parse_rfc3339
from signer import KEY_TYPES, sha256
from tamper import Publisher, Tamper, UnknownTamper

DELEGATION = "tdx-containers"
DIRECTORIES = {"director": "metadata/director", "repo": "metadata/image-repo"}


def sample_contents():
    """[(package, bytes)]: two targets of the account and one of a delegation."""
    samples = (("targets", "bootloader/board-1.0", ["board"]),
               ("targets", "firmware-2.4.1", ["controller-mcu"]),
               (DELEGATION, "settings/line-3", ["settings"]))
    return [make_package(role, target, hardware_ids,
                         hashlib.shake_256(target.encode()).digest(1000))
            for role, target, hardware_ids in samples]


def make_package(role, target, hardware_ids, content):
    """(package, bytes); its name and version are what the last dash of `target` parts."""
    name, _, version = target.rpartition("-")
    return Package(target, name, version, hardware_ids, len(content), sha256(content),
                   role=role), content


def make_commit(role, target, hardware_ids, commit):
    """(OSTREE package, None)."""
    name, _, version = target.rpartition("-")
    return Package(target, name, version, hardware_ids, 0, commit, "OSTREE", role=role), None


def make_lockbox(folder, account, lockbox, contents, tampers=()):
    """Fills an account, and writes what a device would find under `folder`."""
    for package, _ in contents:
        account.add_package(package)
    account.define_lockbox(lockbox, [package.target for package, _ in contents])
    write_lockbox(folder, account, lockbox, contents, tampers)


def write_lockbox(folder, account, lockbox, contents, tampers=()):
    published = Publisher().publish(account.roles(), tampers)
    latest = f"director/{account.director.latest.version}.root"
    if latest in published:
        published["director/root"] = published[latest]
    for role, data in published.items():
        repository, _, name = role.partition("/")
        kind, _, member = name.partition(":")
        if kind == "lockbox" and member != lockbox:
            continue
        _write(folder / "update" / DIRECTORIES[repository] / f"{member or name}.json", data)
    for package, content in contents:
        if content is not None and _is_writable(package.target):
            _write(folder / "update/images" / package.target, content)
    _write(folder / "trust/director/root.json", account.director.roots[0].data)
    _write(folder / "trust/repo/root.json", account.image.roots[0].data)


def _is_writable(target):
    """A hostile name is signed as it stands, but gets no file."""
    path = PurePosixPath(target)
    return not path.is_absolute() and ".." not in path.parts and "\0" not in target


def _write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--keys", choices=sorted(KEY_TYPES), default="ed25519")
    parser.add_argument("--lockbox", default="pump-7", metavar="NAME")
    parser.add_argument("--other", action="append", default=[], metavar="NAME",
                        help="a lockbox that the snapshot lists and that is not in the directory")
    parser.add_argument("--target", action="append", nargs=4, default=[],
                        metavar=("ROLE", "ID", "HWIDS", "FILE"))
    parser.add_argument("--commit", action="append", nargs=4, default=[],
                        metavar=("ROLE", "ID", "HWIDS", "SHA256"))
    parser.add_argument("--rotate", action="append", choices=("director", "repo"), default=[])
    parser.add_argument("--threshold", action="append", type=parse_threshold, default=[],
                        metavar="ROLE=NEEDED[/KEYS]")
    parser.add_argument("--tamper", action="append", nargs="+", default=[],
                        metavar=("ROLE", "MODE"), help="ROLE MODE [KEY=VALUE]…")
    parser.add_argument("--at", type=parse_rfc3339, metavar="RFC3339")
    return parser.parse_args()


def main():
    try:
        run(parse())
    except (UnknownTamper, Refused, OSError) as error:
        sys.exit(f"make_lockbox: {error}")


def run(arguments):
    fix_time(arguments.at)
    contents = [make_package(role, target, hwids.split(","), Path(file).read_bytes())
                for role, target, hwids, file in arguments.target]
    contents += [make_commit(role, target, hwids.split(","), commit)
                 for role, target, hwids, commit in arguments.commit]
    account = Account(arguments.keys, dict(arguments.threshold))
    for other in arguments.other:
        account.define_lockbox(other, [])
    for repository in arguments.rotate:
        account.rotate(repository)
    make_lockbox(arguments.out, account, arguments.lockbox, contents or sample_contents(),
                 [Tamper(role, mode, dict(map(parse_pair, options)))
                  for role, mode, *options in arguments.tamper])


if __name__ == "__main__":
    main()
