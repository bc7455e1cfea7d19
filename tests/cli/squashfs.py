#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""write --as squashfs: an image that other programs read, with a signature that OpenSSL verifies; and read again."""

import shutil
import subprocess
import zlib

import scenario
from scenario import Scenario, names, tree

IMAGE = "torizon-lockbox.squashfs"


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Images(Scenario):
    def setUp(self):
        super().setUp()
        self.login()
        self.ok("fetch", "pump-7")
        self.image = self.stick / IMAGE
        self.signature = self.stick / f"{IMAGE}.sig"

    def write(self, *words):
        [written] = self.ok("write", *words, self.stick, "--as", "squashfs")["written"]
        return written

    def key(self, *words):
        file = self.home / "signing.pem"
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", file, *words)
        return file


class Writing(Images):
    def unpacked(self):
        """By squashfs-tools, which share no code with the library that wrote it."""
        folder = self.home / "unsquashed"
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["unsquashfs", "-quiet", "-no-progress", "-d", folder, self.image], check=True,
                       stdout=subprocess.DEVNULL)
        return tree(folder)

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


class Reading(Images):
    """verify, check and inspect of an image, ours and one that squashfs-tools made."""

    def setUp(self):
        super().setUp()
        self.write("pump-7")

    def make_image(self, *words, of=None, image=None):
        if of is None:
            self.ok("write", "pump-7", self.home, "--as", "plain")
            of = self.home / "update"
        image = image or self.image
        image.unlink(missing_ok=True)
        subprocess.run(["mksquashfs", of, image, "-quiet", "-no-progress", *words], check=True,
                       stdout=subprocess.DEVNULL)

    def assert_state(self, state, error, path=None):
        outcome = self.airlock("--json", "check", path or self.stick)
        [item] = outcome.answer["items"]
        self.assertEqual((item["kind"], item["state"], item["id"]), ("squashfs", state, error), str(outcome))

    def assert_verdict(self, verdict, problem, *words, code, path=None):
        outcome = self.airlock("--json", "verify", path or self.image, *words)
        self.assertEqual(outcome.code, code, str(outcome))
        self.assertEqual(outcome.answer["verdict"], verdict)
        self.assertIn(problem, [found["id"] for found in outcome.answer["problems"]])
        return outcome

    def test_it_is_judged_as_the_directory_is(self):
        self.ok("write", "pump-7", self.home, "--as", "plain")
        plain, image = self.ok("verify", self.home / "update"), self.ok("verify", self.image)
        self.assertEqual((plain.pop("kind"), image.pop("kind")), ("plain", "squashfs"))
        self.assertNotEqual(plain.pop("path"), image.pop("path"))
        self.assertEqual(image, plain)
        [item] = self.ok("verify", self.stick)["items"]
        self.assertEqual(item["path"], str(self.image))
        self.assert_state("ok", None)
        self.ok("inspect", self.image)

    def test_one_that_squashfs_tools_made(self):
        self.make_image("-all-root")
        self.assertEqual(self.ok("verify", self.image)["verdict"], "install")
        self.make_image("-no-fragments", "-b", "4096", "-noI", "-noD")
        self.assertEqual(self.ok("verify", self.image)["verdict"], "install")
        self.assert_state("ok", None)

    def test_another_compression_is_none_that_devices_know(self):
        self.make_image("-comp", "zstd")
        outcome = self.assert_verdict("refuse", "bad-squashfs", code=3)
        self.assertIn("gzip", str(outcome))

    def test_what_is_missing_or_changed_in_it(self):
        self.ok("write", "pump-7", self.home, "--as", "plain")
        update = self.home / "update"
        largest = max((file for file in (update / "images").rglob("*") if file.is_file()), key=lambda f: f.stat().st_size)
        content = bytearray(largest.read_bytes())
        content[len(content) // 2] ^= 1
        largest.write_bytes(content)
        self.make_image(of=update)
        self.assert_verdict("refuse", "wrong-hash", code=3)
        self.assert_state("damaged", "wrong-hash")
        largest.unlink()
        self.make_image(of=update)
        self.assert_verdict("refuse", "missing-target", code=3)
        self.assert_state("missing", "missing-target")
        shutil.rmtree(update / "metadata/image-repo")
        self.make_image(of=update)
        self.assert_verdict("refuse", "missing-image-repo", code=3)

    def test_only_what_a_role_names_with_its_size_is_read(self):
        """A sparse file costs a stick nothing and its reader hours: what cannot be right is not unpacked."""
        self.ok("write", "pump-7", self.home, "--as", "plain")
        unreadable = b"nobody asked for this " * (1 << 16)

        def make_with(file):
            file.write_bytes(unreadable)
            self.make_image("-no-fragments", "-b", "131072", of=self.home / "update")
            packed = zlib.compress(unreadable[:131072], 9)
            image = self.image.read_bytes()
            self.assertIn(packed, image)
            self.image.write_bytes(image.replace(packed, b"\xff" * len(packed)))

        stranger = self.home / "update/images/zzz"
        make_with(stranger)
        self.assertEqual(self.ok("verify", self.image)["verdict"], "install")
        self.assert_state("ok", None)
        stranger.unlink()
        make_with(max((file for file in (self.home / "update/images").rglob("*") if file.is_file()),
                      key=lambda file: file.stat().st_size))
        self.assert_verdict("refuse", "wrong-length", code=3)
        self.assert_state("damaged", "wrong-length")

    def test_bytes_that_the_medium_changed(self):
        whole = self.image.read_bytes()
        for at in (100, len(whole) // 2, len(whole) - 5000):
            self.image.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1:])
            outcome = self.airlock("--json", "check", self.stick)
            self.assertIn(outcome.code, (0, 3), str(outcome))  # a gap between tables may hold anything
        self.image.write_bytes(whole[:len(whole) // 2])
        self.assert_state("damaged", "bad-squashfs")
        self.image.write_bytes(whole[:50])
        self.assert_state("damaged", "bad-squashfs")

    def test_links_and_names_that_are_none(self):
        update = self.home / "with-link"
        (update / "metadata").mkdir(parents=True)
        (update / "images").symlink_to("/etc")
        self.make_image(of=update)
        self.assert_verdict("refuse", "bad-squashfs", code=3)
        (update / "images").unlink()
        (update / "metadata/a:b").write_text("x")
        self.make_image(of=update)
        self.assert_verdict("refuse", "unsafe-name", code=3)

    def test_its_signature(self):
        key, public = self.key(), self.home / "public.pem"
        openssl("pkey", "-in", key, "-pubout", "-out", public)
        self.assert_verdict("install", "image-signature", "--squashfs-key", public, code=3)
        self.write("pump-7", "--squashfs-key", key)
        self.assertIn("no key was given", self.airlock("verify", self.image).stdout)
        answer = self.ok("verify", self.image, "--squashfs-key", public)
        self.assertFalse(any("signature" in text for text in answer["assumed"]), answer["assumed"])
        self.ok("check", self.stick, "--squashfs-key", public)
        other = self.home / "other.pem"
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", other)
        openssl("pkey", "-in", other, "-pubout", "-out", public)
        self.assert_verdict("install", "image-signature", "--squashfs-key", public, code=3)
        outcome = self.airlock("--json", "check", self.stick, "--squashfs-key", public)
        self.assertEqual((outcome.code, outcome.answer["items"][0]["id"]), (3, "image-signature"))
        self.refuses(3, "bad-key", "verify", self.image, "--squashfs-key", key)
        self.refuses(2, "no-such-path", "check", self.image, "--squashfs-key", self.home / "none")


if __name__ == "__main__":
    scenario.main()
