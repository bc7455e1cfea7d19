#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Figures: does a device that pulls from a folder find all it needs in an OSTree static delta?

    bench_deltas.py [--rounds N] [--folder DIR]

Two commits of a part of this system: some files get a line more, one large program some bytes, one file is new. The
delta from the first to the second is made by `ostree`, without fallback objects. Then `ostree` pulls the second commit
into a repository that holds the first, by a file:// address, as the device's client does, and with the option that
stands for the vendor's change of libostree (deltas also from folders). What it reads from the folder beside the delta
is counted. docs/decisions/0011 draws the conclusion. Nothing here passes or fails.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TREE = pathlib.Path("/usr/lib/python3")
PROGRAM = pathlib.Path("/usr/bin/perl")


def ostree(repository, *words):
    done = subprocess.run(["ostree", f"--repo={repository}", *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def must(repository, *words):
    status, out, error = ostree(repository, *words)
    if status:
        sys.exit(f"bench: ostree {' '.join(words)}: {error}")
    return out


def commit(repository, root):
    return must(repository, "commit", "-b", "os", "--owner-uid=0", "--owner-gid=0", "--no-xattrs", str(root))


def make_commits(folder):
    root, repository = folder / "root", folder / "whole"
    shutil.copytree(TREE, root / "lib", symlinks=True)
    shutil.copy(PROGRAM, root / "program")
    must(repository, "init", "--mode=archive")
    old = commit(repository, root)
    for path in sorted(p for p in root.rglob("*.py") if p.is_file() and not p.is_symlink())[:60]:
        path.write_bytes(path.read_bytes() + b"# changed\n")
    (root / "program").write_bytes((root / "program").read_bytes() + b"changed")
    (root / "new").write_bytes(bytes(range(256)) * 4096)
    return repository, old, commit(repository, root)


def objects(folder, repository, commit_id):
    """Sizes of what one commit leads to, by path."""
    alone = folder / f"alone-{commit_id}"
    must(alone, "init", "--mode=archive")
    must(alone, "pull-local", str(repository), commit_id)
    return {str(p.relative_to(alone)): p.stat().st_size for p in (alone / "objects").rglob("*.*")}


def pull(folder, whole, source, old, new):
    """What a device's pull says in the end."""
    device = pathlib.Path(tempfile.mkdtemp(dir=folder))
    must(device, "init", "--mode=bare-user-only")
    must(device, "pull-local", str(whole), old)
    must(device, "remote", "add", "--no-gpg-verify", "--no-sign-verify", "stick", f"file://{source}")
    status, out, error = ostree(device, "pull", "--require-static-deltas", "stick", new)
    shutil.rmtree(device)
    return status == 0, (out or error).splitlines()[-1]


def only(folder, whole, name, kinds):
    """A copy without the objects of other kinds."""
    part = folder / name
    shutil.copytree(whole, part)
    for path in (part / "objects").rglob("*.*"):
        if path.suffix not in kinds:
            path.unlink()
    return part


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--folder", default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = pathlib.Path(name)
        whole, old, new = make_commits(folder)
        had, has = objects(folder, whole, old), objects(folder, whole, new)
        changed = {path: size for path, size in has.items() if path not in had}
        files = sum(path.endswith(".filez") for path in changed)
        must(whole, "static-delta", "generate", "--min-fallback-size=0", f"--from={old}", f"--to={new}")
        must(whole, "summary", "-u")
        delta = sum(p.stat().st_size for p in (whole / "deltas").rglob("*") if p.is_file())
        print(f"image: {len(has)} objects, {sum(has.values())} bytes; changed: {len(changed)} objects, {files} of them"
              f" files, {sum(changed.values())} bytes; static delta: {delta} bytes")
        asked = []
        for _ in range(options.rounds):
            _, said = pull(folder, whole, whole, old, new)
            loose = re.search(r"(\d+) content objects fetched", said) or re.search(r"(\d+) loose fetched", said)
            asked.append(loose.group(1) if loose else said)
        print(f"whole repository and delta: objects read beside the delta, by round: {', '.join(asked)}")
        for title, kinds in (("delta and commit alone", {".commit"}),
                             ("delta, commit, folders", {".commit", ".dirtree", ".dirmeta"})):
            part = only(folder, whole, title.replace(" ", "-"), kinds)
            worked = [pull(folder, whole, part, old, new)[0] for _ in range(options.rounds)]
            print(f"{title}: {sum(worked)} of {options.rounds} pulls succeed")


if __name__ == "__main__":
    main()
