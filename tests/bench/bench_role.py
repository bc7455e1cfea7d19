#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Figures: `airlock verify` of a lockbox whose image repository has 20 000 targets in one role of some 8 MiB.

    bench_role.py --airlock PATH [--targets N] [--rounds N]
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "cloud"), str(TESTS / "unit" / "verdict")]

from box import NOW, Box, entry, with_name  # noqa: E402


def lockbox(folder, count):
    """A good one, as a stock device reads it; returns the size of its targets role."""
    box = Box()
    for n in range(count):
        content = f"package {n}".encode()
        box.targets[f"board/package-{n}-1.0"] = with_name(
            entry(content, ["board"], {"commitSubject": "x" * 150}), f"board/package-{n}", "1.0")
    box.write(folder / "signed")
    (folder / "metadata").mkdir()
    for repo in ("director", "image-repo"):
        (folder / "signed" / repo).rename(folder / "metadata" / repo)
    trust = folder / "signed" / "trust"
    for repo in ("director", "repo"):
        (trust / repo).mkdir()
        (trust / f"{repo}.json").rename(trust / repo / "root.json")
    (folder / "images").mkdir()
    (folder / "images" / "bootloader-1").write_bytes(b"board firmware")
    (folder / "images" / "pump-2.4").write_bytes(b"pump firmware")
    return (folder / "metadata/image-repo/targets.json").stat().st_size


def measure(command):
    """Seconds and peak KiB, measured by a small process: a child counts what its parent had when it began."""
    script = ("import resource, subprocess, sys, time; begin = time.monotonic();"
              "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
              "print(time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    done = subprocess.run([sys.executable, "-c", script, *map(str, command)], check=True, capture_output=True)
    seconds, kib = done.stdout.split()
    return float(seconds), int(kib)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--airlock", required=True)
    options.add_argument("--targets", type=int, default=20000)
    options.add_argument("--rounds", type=int, default=9)
    o = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="airlock-bench-") as name:
        folder = pathlib.Path(name)
        size = lockbox(folder, o.targets)
        command = [o.airlock, "verify", "--at", NOW, "--trust", folder / "signed" / "trust",
                   "--store", folder / "store", "--state", folder / "state", folder]
        figures = [measure(command) for _ in range(o.rounds + 1)][1:]
        seconds = [figure[0] for figure in figures]
        print(f"{o.targets} targets, {size / 1e6:.1f} MB: {statistics.median(seconds):.2f} s "
              f"({min(seconds):.2f} to {max(seconds):.2f}), {max(kib for _, kib in figures) / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
