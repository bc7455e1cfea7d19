#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Figures: a container image of 1 GiB in six layers, from a registry to the tarball that a device loads.

    bench_containers.py --airlock PATH [--rounds N] [--folder DIR]

The registry is Debian's docker-registry on this machine, without TLS, so that neither network nor ciphers are
measured; both programs write to memory (/dev/shm). airlock verifies every digest, keeps the compressed layers in its
store, measures the tarball and reads back what it wrote; skopeo verifies the digests. Nothing here passes or fails.
"""
import argparse
import multiprocessing
import pathlib
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "cli"))
import bench  # noqa: E402
import registry  # noqa: E402

LAYERS = 6
LAYER_SIZE = (1 << 30) // LAYERS


def make_image(folder):
    """Layers of real files, each its own part of this system."""
    image = registry.Image()
    data = folder / "mixed"
    bench.mixed_file(data, 1 << 30)
    layers = []
    with open(data, "rb") as content:
        for i in range(LAYERS):
            layers.append((registry.tar_of({f"part{i}": content.read(LAYER_SIZE)}), "none"))
    image.add("linux/arm64", layers)
    data.unlink()
    return image


def push_image(served, folder):
    """In a process of its own: peaks of later children would count what this one has in memory. skopeo packs the
    layers as it pushes them."""
    result = folder / "reference"
    process = multiprocessing.get_context("fork").Process(
        target=lambda: result.write_text(served.push(make_image(folder), "bench/image")))
    process.start()
    process.join()
    return result.read_text()


def bench_image(cloud, served, options):
    reference = push_image(served, cloud.folder)
    compose = cloud.folder / "docker-compose.yml"
    compose.write_text(registry.compose(web=reference))
    for repository in ("director", "repo"):
        cloud.tell("rotate", repository)
    cloud.tell("package", "add", "app", "1", "--hwid", "docker-compose", "--file", str(compose))
    cloud.define("app", "app")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        stick = pathlib.Path(memory, "stick")
        other = pathlib.Path(memory, "other.tar")
        stick.mkdir()

        def fetch():
            cloud.forget()
            return cloud.airlock_run("fetch", "app")

        def prepare():
            cloud.forget()
            shutil.rmtree(stick / "update", ignore_errors=True)
            return cloud.airlock_run("prepare", "app", str(stick), "--as", "plain")

        def theirs():
            other.unlink(missing_ok=True)
            return bench.run(["skopeo", "copy", "--quiet", "--src-tls-verify=false", f"docker://{reference}",
                              f"docker-archive:{other}:bench/image:1"])

        bench.heading("1 GiB image, six gzip layers; other: skopeo copy docker:// docker-archive:")
        bench.compare("fetch, verified and measured", fetch, theirs, options.rounds)
        bench.compare("prepare --as plain: tarball written and read back", prepare, theirs, options.rounds)
        shutil.rmtree(stick / "update")
        bench.compare("write --as plain alone", lambda: write(cloud, stick), theirs, options.rounds)
        cloud.airlock_run("write", "app", str(stick), "--as", "plain")
        print(f"{'':<52} skopeo's peak: {theirs()[1] / 1024:.0f} MiB")
        bench.compare("verify the folder", lambda: cloud.airlock_run("verify", str(stick / "update")), theirs,
                      options.rounds)


def write(cloud, stick):
    shutil.rmtree(stick / "update", ignore_errors=True)
    return cloud.airlock_run("write", "app", str(stick), "--as", "plain")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--airlock", required=True, type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default=None, help="where the data goes: 4 GiB on a file system of the disk")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        cloud = bench.Cloud(pathlib.Path(folder), options.airlock)
        served = registry.DockerRegistry(pathlib.Path(folder, "registry"))
        try:
            bench_image(cloud, served, options)
        finally:
            served.stop()
            cloud.stop()


if __name__ == "__main__":
    main()
