#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""write --as squashfs: an image that other programs read, with a signature that OpenSSL verifies."""

import shutil
import subprocess

import scenario
from scenario import Scenario, names, tree

IMAGE = "torizon-lockbox.squashfs"


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Squashfs(Scenario):
    def setUp(self):
        super().setUp()
        self.login()
        self.ok("fetch", "pump-7")
        self.image = self.stick / IMAGE
        self.signature = self.stick / f"{IMAGE}.sig"

    def write(self, *words):
        [written] = self.ok("write", *words, self.stick, "--as", "squashfs")["written"]
        return written

    def unpacked(self):
        """By squashfs-tools, which share no code with the library that wrote it."""
        folder = self.home / "unsquashed"
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["unsquashfs", "-quiet", "-no-progress", "-d", folder, self.image], check=True,
                       stdout=subprocess.DEVNULL)
        return tree(folder)

    def key(self, *words):
        file = self.home / "signing.pem"
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", file, *words)
        return file

    def assert_signed_by(self, key):
        public = self.home / "public.pem"
        openssl("pkey", "-in", key, "-pubout", "-out", public)
        openssl("dgst", "-sha256", "-verify", public, "-signature", self.signature, self.image)

    def test_it_holds_what_the_plain_export_holds(self):
        self.ok("write", "pump-7", self.home, "--as", "plain")
        written = self.write("pump-7")
        self.assertEqual(written["path"], str(self.image))
        self.assertEqual(written["stored_bytes"], self.image.stat().st_size)
        self.assertEqual(self.unpacked(), tree(self.home / "update"))
        listed = subprocess.run(["unsquashfs", "-quiet", "-lln", self.image], check=True, capture_output=True, text=True)
        for line in listed.stdout.splitlines():
            self.assertIn(line.split()[0], ("drwxr-xr-x", "-rw-r--r--"), line)
            self.assertIn(line.split()[1], ("0/0",), line)
        about = subprocess.run(["unsquashfs", "-stat", self.image], check=True, capture_output=True, text=True).stdout
        self.assertIn("Compression gzip", about)
        self.assertEqual(names(self.stick), [IMAGE])

    def test_the_same_lockbox_gives_the_same_image_also_out_of_a_bundle(self):
        self.write("pump-7")
        first = self.image.read_bytes()
        self.write("pump-7")
        self.assertEqual(self.image.read_bytes(), first)
        self.ok("write", "pump-7", self.home / "x.lockbox")
        self.write(self.home / "x.lockbox")
        self.assertEqual(self.image.read_bytes(), first)

    def test_openssl_verifies_the_signature_and_no_key_leaves_none(self):
        key = self.key()
        self.write("pump-7", "--squashfs-key", key)
        self.assert_signed_by(key)
        self.write("pump-7")
        self.assertEqual(names(self.stick), [IMAGE], "the signature of another image is left")

    def test_a_killed_writing_leaves_the_older_image(self):
        self.cloud.tell("package", "add", "large", "1", "--hwid", "large-mcu", "--random", "24M")
        self.cloud.tell("lockbox", "define", "line", "large-1")
        self.addCleanup(self.cloud.tell, "lockbox", "delete", "line")
        self.ok("fetch", "line")
        self.write("pump-7")
        before = self.image.read_bytes()
        for _ in range(3):
            process = self.start("write", "line", self.stick, "--as", "squashfs")
            self.wait_until(lambda: process.poll() is not None or len(names(self.stick)) > 1, "something aside")
            process.kill()
            self.finish(process)
            self.assertEqual(self.image.read_bytes(), before)
        self.write("line")
        self.assertIn("images/large-1", self.unpacked())
        self.assertEqual(names(self.stick), [IMAGE], "something of a killed run is left")

    def test_what_a_device_would_refuse_is_not_written(self):
        self.refuses(3, "expired-role", "--at", "2040-01-01T00:00:00Z", "write", "pump-7", self.stick, "--as", "squashfs")
        self.assert_stick_is_empty()

    def test_wrong_keys(self):
        small = self.home / "small.pem"
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", small)
        other = self.home / "ec.pem"
        openssl("genpkey", "-algorithm", "ED25519", "-out", other)
        text = self.home / "text.pem"
        text.write_text("no key")
        for key in (small, other, text, self.key("-aes128", "-pass", "pass:secret")):
            outcome = self.refuses(3, "bad-key", "write", "pump-7", self.stick, "--as", "squashfs", "--squashfs-key", key)
            self.assertIn(key.name, outcome.stderr)
        self.refuses(2, "no-such-path", "write", "pump-7", self.stick, "--as", "squashfs", "--squashfs-key",
                     self.home / "none")
        self.refuses(2, "usage", "write", "pump-7", self.stick, "--squashfs-key", small)
        self.refuses(2, "usage", "write", "pump-7", self.stick, "--as", "squashfs", "--single")
        self.refuses(2, "usage", "write", "pump-7", "valve-9", self.stick, "--as", "squashfs")
        self.assert_stick_is_empty()


if __name__ == "__main__":
    scenario.main()
