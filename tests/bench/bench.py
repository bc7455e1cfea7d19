#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Figures: airlock beside what a user would otherwise run, on the same data, in turns, as ratios of medians.

    bench.py --airlock PATH --fetch PATH [--rounds N] [--only fetch,write,ostree,memory] [--folder DIR]

Each case runs ours and theirs alternately, N counted rounds after one that is not counted. Peak memory is that of the
largest process. Nothing here passes or fails.
"""
import argparse
import contextlib
import importlib.machinery
import io
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

CLOUD = pathlib.Path(__file__).resolve().parent.parent / "cloud" / "rehearsal"
PARALLEL = 16
sys.dont_write_bytecode = True
sys.path.insert(0, str(CLOUD.parent))
rehearsal = importlib.machinery.SourceFileLoader("rehearsal", str(CLOUD)).load_module()
MIB = 1 << 20


def run(command, **options):
    """Seconds, peak KiB and processor seconds of one command that must succeed.

    A process begins with the peak of the one that started it, which for this interpreter is more than what airlock
    needs: so the peak is that of a child of time(1).
    """
    with tempfile.NamedTemporaryFile("r") as peak:
        begin = time.monotonic()
        process = subprocess.Popen(["/usr/bin/time", "-q", "-f", "%M", "-o", peak.name, *command],
                                   stdout=subprocess.DEVNULL, **options)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begin
        if status:
            sys.exit(f"bench: {command} failed with status {status}")
        return seconds, int(peak.read()), usage.ru_utime + usage.ru_stime


def compare(title, ours, theirs, rounds):
    """Runs both in turns; each is a function that returns what run() does."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    mine = [a[0] for a, _ in pairs]
    other = [b[0] for _, b in pairs]
    ratios = [a[0] / b[0] for a, b in pairs]
    print(f"{title:<52} {statistics.median(mine):7.2f} s {statistics.median(other):7.2f} s"
          f"   {statistics.median(ratios):5.2f}  ({min(ratios):.2f} to {max(ratios):.2f})"
          f"   {max(a[1] for a, _ in pairs) / 1024:5.0f} MiB", flush=True)
    return pairs


def heading(title):
    print(f"\n{title}\n{'':<52} {'airlock':>9} {'other':>9}   ratio  (min to max)     peak")


class Cloud:
    """A rehearsal cloud that serves target bytes straight from disk, and an account of airlock's that uses it."""

    def __init__(self, folder, airlock):
        self.folder, self.airlock = folder, airlock
        self.run("start", "--static-targets", "--keys", "ed25519")
        settings = json.loads((folder / "cloud" / "cloud.json").read_text())
        self.ca = settings["REHEARSAL_CA"]
        self.treehub = settings["REHEARSAL_OSTREE_URL"]
        self.targets = settings["REHEARSAL_REPO_URL"] + "/api/v1/user_repo/targets/"
        self.environment = dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"), XDG_STATE_HOME=str(folder / "state"),
                                XDG_CONFIG_HOME=str(folder / "config"))
        self.airlock_run("login", "--credentials", settings["REHEARSAL_CREDENTIALS"], "--cacert", self.ca)

    def run(self, verb, *words):
        subprocess.run([CLOUD, verb, self.folder / "cloud", *words], check=True, capture_output=True)

    def tell(self, *words):
        """A verb of the rehearsal's `ctl`, in this process: two thousand packages are added this way."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            rehearsal.control(rehearsal.parse(["ctl", str(self.folder / "cloud"), *words]))
        return out.getvalue()

    def add(self, name, *source):
        """A package of its own hardware id; returns (URL, SHA-256, size)."""
        entry = json.loads(self.tell("package", "add", name, "1", "--hwid", name, *source))
        return self.targets + name + "-1", entry["sha256"], entry["length"]

    def define(self, lockbox, *names):
        self.tell("lockbox", "define", lockbox, *[name + "-1" for name in names])

    def airlock_run(self, *words):
        return run([self.airlock, "-q", *words], env=self.environment)

    def forget(self):
        shutil.rmtree(self.folder / "cache", ignore_errors=True)

    def stop(self):
        self.run("stop")


def bench_fetch(cloud, options):
    heading(f"fetching over TLS, {PARALLEL} connections, hashed and verified; other: curl --parallel, not verified")
    out = cloud.folder / "out"
    store = cloud.folder / "store"
    for title, count, size in (("1 file of 1 GiB", 1, "1G"), ("20 files of 50 MiB", 20, "50M"),
                               ("2000 files of 4 KiB", 2000, "4K")):
        files = [cloud.add(f"f{count}-{i}", "--random", size) for i in range(count)]
        listing = "".join(f"{url} {digest} {length}\n" for url, digest, length in files)
        names = cloud.folder / "list"
        names.write_text(listing)
        curl_config = cloud.folder / "curl"
        curl_config.write_text("".join(f'url = "{url}"\noutput = "{out}/{i}"\n' for i, (url, _, _) in enumerate(files)))

        def ours():
            shutil.rmtree(store, ignore_errors=True)
            with open(names) as stdin:
                return run([options.fetch, cloud.ca, store, str(PARALLEL)], stdin=stdin)

        def theirs():
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            return run(["curl", "--silent", "--no-progress-meter", "--parallel", "--parallel-max", str(PARALLEL),
                        "--cacert", cloud.ca, "--config", curl_config], stderr=subprocess.DEVNULL)

        compare(title, ours, theirs, options.rounds)
        shutil.rmtree(store, ignore_errors=True)
        shutil.rmtree(out, ignore_errors=True)


def mixed_file(path, size):
    """Real files of this system one after another: partly text, partly programs, as an update is."""
    with open(path, "wb") as to:
        for root in ("/usr/lib", "/usr/bin", "/usr/share"):
            for folder, _, names in sorted(os.walk(root)):
                for name in sorted(names):
                    source = pathlib.Path(folder, name)
                    if to.tell() >= size:
                        to.truncate(size)
                        return
                    if source.is_file() and not source.is_symlink():
                        with open(source, "rb") as content:
                            shutil.copyfileobj(content, to)


def bench_write(cloud, options):
    """Both read from the disk's cache and write to memory (/dev/shm), so that no disk is measured."""
    heading("writing a bundle of 1 GiB, level 3, hashed, indexed, signed, read back")
    data = cloud.folder / "mixed"
    mixed_file(data, 1 << 30)
    cloud.add("mixed", "--file", str(data))
    cloud.define("mixed", "mixed")
    cloud.airlock_run("fetch", "mixed")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        other, squashfs = f"{memory}/other.tar.zst", f"{memory}/other.squashfs"
        stick, target = pathlib.Path(memory, "stick"), pathlib.Path(memory, "update")
        stick.mkdir()

        def beside(title, ours, *command, before=lambda: None):
            """A bundle and what is unpacked from it are made anew each time: what is there would be left as it is."""
            def fresh():
                before()
                return cloud.airlock_run(*ours)
            processor_time(compare(title, fresh, lambda: run(command), options.rounds))

        def no_stick():
            shutil.rmtree(stick / "airlock", ignore_errors=True)

        beside("tar | zstd -T0 -3", ("write", "mixed", str(stick)), "sh", "-c",
               f"tar -C {cloud.folder} -cf - mixed | zstd -q -T0 -3 -f -o {other}", before=no_stick)
        beside("mksquashfs -comp zstd, level 3", ("write", "mixed", str(stick)), "mksquashfs", data, squashfs,
               "-comp", "zstd", "-Xcompression-level", "3", "-noappend", "-quiet", "-no-progress", before=no_stick)
        os.remove(squashfs)
        bundle = str(next(stick.glob("airlock/*.lockbox")))
        stored = sum(f.stat().st_size for f in stick.glob("airlock/*.lockbox*"))
        print(f"{'':<52} sizes: {stored / MIB:.0f} MiB, tar.zst {os.stat(other).st_size / MIB:.0f} MiB")
        heading("unpacking it, all verified, read back; other verifies nothing")
        beside("zstd -T0 -d | tar x", ("apply", bundle, "--to", str(target)), "sh", "-c",
               f"zstd -q -T0 -dc {other} | tar -C {memory} -xf -", before=lambda: shutil.rmtree(target, True))
        shutil.rmtree(target)
        os.remove(other)
        heading("verifying it, every byte as stored and as unpacked; other: the bytes that the device gets, unpacked")
        beside("sha256sum", ("verify", bundle), "sha256sum", data)
        beside("openssl dgst -sha256", ("verify", bundle), "openssl", "dgst", "-sha256", data)
        cloud.airlock_run("apply", bundle, "--to", str(target))
        beside("a plain directory; openssl", ("verify", str(target)), "openssl", "dgst", "-sha256",
               target / "images" / "mixed-1")


def processor_time(pairs):
    mine, other = (statistics.median(pair[side][2] for pair in pairs) for side in (0, 1))
    print(f"{'':<52} {mine:7.2f} s {other:7.2f} s   of the processor; other's peak: "
          f"{max(b[1] for _, b in pairs) / 1024:.0f} MiB")


def userland(folder, count):
    """So many real files of this system, with their folders."""
    for root, folders, files in os.walk("/usr"):
        folders.sort()
        for name in sorted(files):
            source = pathlib.Path(root, name)
            if count == 0:
                return
            if source.is_file() and not source.is_symlink():
                target = folder / source.relative_to("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
                count -= 1


def bench_ostree(cloud, options):
    heading("an OSTree image of 5000 files over TLS; other: ostree")
    source, repo, mirror = (cloud.folder / name for name in ("userland", "repo", "mirror"))
    userland(source, 5000)
    subprocess.run(["ostree", f"--repo={repo}", "init", "--mode=archive"], check=True)
    commit = subprocess.run(["ostree", f"--repo={repo}", "commit", "-b", "main", "--owner-uid=0", "--owner-gid=0",
                             "--no-xattrs", source], check=True, capture_output=True, text=True).stdout.strip()
    shutil.rmtree(source)
    cloud.tell("ostree", str(repo))
    cloud.tell("package", "add", "image", "1", "--hwid", "board", "--commit", commit)
    cloud.define("image", "image")

    def ours():
        cloud.forget()
        return cloud.airlock_run("fetch", "image")

    def pull(*words):
        shutil.rmtree(mirror, ignore_errors=True)
        subprocess.run(["ostree", f"--repo={mirror}", "init", "--mode=archive"], check=True)
        with open(mirror / "config", "a") as config:
            config.write(f'[remote "cloud"]\nurl={cloud.treehub}\ngpg-verify=false\ntls-ca-path={cloud.ca}\n')
        return run(["ostree", f"--repo={mirror}", "pull", "--mirror", *words, "cloud", commit])

    processor_time(compare("fetch, every object verified; pull --mirror", ours,
                           lambda: pull("--disable-static-deltas"), options.rounds))
    processor_time(compare("the same; pull --mirror --http-trusted, not verified", ours,
                           lambda: pull("--disable-static-deltas", "--http-trusted"), options.rounds))
    processor_time(compare("all there: checked again; ostree fsck", lambda: cloud.airlock_run("fetch", "image"),
                           lambda: run(["ostree", f"--repo={mirror}", "fsck", "--quiet"]), options.rounds))
    stick = cloud.folder / "stick"
    stick.mkdir()

    def written(how, folder):
        shutil.rmtree(stick / folder, ignore_errors=True)
        return cloud.airlock_run("write", "image", str(stick), "--as", how)

    def pulled_local():
        local = cloud.folder / "local"
        shutil.rmtree(local, ignore_errors=True)
        subprocess.run(["ostree", f"--repo={local}", "init", "--mode=archive"], check=True)
        return run(["ostree", f"--repo={local}", "pull-local", "--untrusted", mirror, commit])

    processor_time(compare("write --as plain, flushed, read back; pull-local", lambda: written("plain", "update"),
                           pulled_local, options.rounds))
    processor_time(compare("verify the plain folder; ostree fsck",
                           lambda: cloud.airlock_run("verify", str(stick / "update")),
                           lambda: run(["ostree", f"--repo={mirror}", "fsck", "--quiet"]), options.rounds))
    processor_time(compare("write a bundle, flushed, read back; tar | zstd -3", lambda: written("bundle", "airlock"),
                           lambda: run(["sh", "-c", f"tar -C {mirror} -cf - . | zstd -q -T0 -3 -f -o {mirror}.tar.zst"]),
                           options.rounds))
    bundle = next(stick.glob("airlock/*.lockbox"))
    processor_time(compare("verify the bundle; ostree fsck", lambda: cloud.airlock_run("verify", str(bundle)),
                           lambda: run(["ostree", f"--repo={mirror}", "fsck", "--quiet"]), options.rounds))
    sizes = [path.stat().st_size for path in repo.glob("objects/*/*")]
    print(f"{'':<52} {len(sizes)} objects, {sum(sizes) / MIB:.0f} MiB as stored")


def bench_memory(cloud, options):
    print("\npeak memory in MiB\n" + f"{'':<20} {'fetch':>7} {'write':>7} {'verify':>7} {'apply':>7}")
    for title, size in (("one file of 2 KiB", "2K"), ("one file of 2 GiB", "2G")):
        name = "memory" + size
        cloud.add(name, "--random", size)
        cloud.define(name, name)
        stick = cloud.folder / "stick"
        stick.mkdir(exist_ok=True)
        peaks = [cloud.airlock_run("fetch", name)[1], cloud.airlock_run("write", name, str(stick))[1]]
        bundle = next(stick.glob(f"airlock/{name}-*.lockbox"))
        peaks.append(cloud.airlock_run("verify", str(bundle))[1])
        peaks.append(cloud.airlock_run("apply", str(bundle), "--to", str(cloud.folder / "update"))[1])
        print(f"{title:<20} " + " ".join(f"{peak / 1024:7.0f}" for peak in peaks), flush=True)
        shutil.rmtree(cloud.folder / "update")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--airlock", required=True, type=pathlib.Path)
    parser.add_argument("--fetch", required=True, type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="fetch,write,ostree,memory")
    parser.add_argument("--folder", default=None, help="where the data goes: 8 GiB on a file system of the disk")
    options = parser.parse_args()
    benches = {"fetch": bench_fetch, "write": bench_write, "ostree": bench_ostree, "memory": bench_memory}
    print(f"{os.cpu_count()} processors; {options.rounds} rounds in turns, medians")
    for name in options.only.split(","):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            cloud = Cloud(pathlib.Path(folder), options.airlock)
            try:
                benches[name](cloud, options)
            finally:
                cloud.stop()


if __name__ == "__main__":
    main()
