#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Figures: the most memory that airlock-device needs to take a lockbox from a stick. A device has little of it.

    bench_device.py --airlock PATH --device PATH [--objects N] [--folder DIR]

One lockbox holds a file of 200 MiB, the other an OSTree image of 30 000 files of 2 KiB each. The peak is that of the
largest of its processes; for the size of the program itself, it must be the static one of a Release build. Nothing here
passes or fails.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "bench"), str(TESTS / "device")]
import bench  # noqa: E402

ON_ONE_LEVEL = 250  # files in a folder


def image(folder, count):
    """A repository, and its commit."""
    source, repository = folder / "image", folder / "repo"
    for i in range(count):
        file = source / str(i // ON_ONE_LEVEL) / str(i)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.urandom(2 << 10))
    subprocess.run(["ostree", f"--repo={repository}", "init", "--mode=archive"], check=True)
    return repository, subprocess.run(["ostree", f"--repo={repository}", "commit", "-b", "main", "--owner-uid=0",
                                       "--owner-gid=0", "--no-xattrs", source],
                                      check=True, capture_output=True, text=True).stdout.strip()


def measure(cloud, device_class, lockbox, options):
    """The package of that name is for hardware of that name."""
    cloud.define(lockbox, lockbox)
    stick, plain = cloud.folder / f"{lockbox}-stick", cloud.folder / f"{lockbox}-plain"
    stick.mkdir()
    plain.mkdir()
    cloud.airlock_run("fetch", lockbox)
    cloud.airlock_run("write", lockbox, str(stick))
    cloud.airlock_run("write", lockbox, str(plain), "--as", "plain")
    device = device_class(cloud.folder / f"{lockbox}-root", lockbox)
    roots = plain / "update/metadata"
    device.provision(roots / "director/1.root.json", roots / "image-repo/1.root.json")
    seconds, peak, _ = bench.run([options.device, "apply", str(stick), "--root", str(device.root)])
    files = sum(1 for path in device.update.rglob("*") if path.is_file())
    print(f"{lockbox:<8} {files:6} files {seconds:7.1f} s {peak / 1024:6.1f} MiB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--airlock", required=True, type=pathlib.Path)
    parser.add_argument("--device", required=True, type=pathlib.Path)
    parser.add_argument("--objects", type=int, default=30000)
    parser.add_argument("--folder", default=None)
    options = parser.parse_args()
    os.environ["AIRLOCK_DEVICE"] = str(options.device)
    os.environ["AIRLOCK"] = str(options.airlock)
    from rehearsal_device import Device  # wants to know both
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        cloud = bench.Cloud(pathlib.Path(folder), options.airlock)
        try:
            cloud.add("file", "--random", "200M")
            measure(cloud, Device, "file", options)
            repository, commit = image(cloud.folder, options.objects)
            cloud.tell("ostree", str(repository))
            cloud.tell("package", "add", "image", "1", "--hwid", "image", "--commit", commit)
            measure(cloud, Device, "image", options)
        finally:
            cloud.stop()


if __name__ == "__main__":
    main()
