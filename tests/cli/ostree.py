#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""OSTree images from a real repository to a device's folder, read back by `ostree` itself."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import scenario
from scenario import Scenario, files_beneath, names, tree

OBJECTS = "^GET ostree/.*/objects/"


class Repository:
    """Two images that share most of their files, made by `ostree commit`."""

    def __init__(self, folder):
        self.path = folder / "repo"
        self.run("init", "--mode=archive")
        root = folder / "root"
        for number in range(60):
            path = root / "usr" / "lib" / f"part{number % 7}" / f"file{number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.urandom(200) * (number + 1))
        (root / "usr" / "image").write_bytes(os.urandom(3_000_000))
        (root / "empty").touch()
        (root / "lib").symlink_to("usr/lib")
        self.first = self.commit(root)
        (root / "usr" / "lib" / "added").write_text("only in the second\n")
        self.second = self.commit(root)

    def commit(self, root):
        return self.run("commit", "-b", "main", "--owner-uid=0", "--owner-gid=0", "--no-xattrs", str(root)).strip()

    def run(self, *words):
        return ostree(self.path, *words)

    def objects(self, *commits):
        """Paths of all objects of these commits, as `ostree` sees them."""
        found = set()
        for commit in commits:
            found.add(object_path(f"{commit}.commit"))
            for line in self.run("ls", "-R", "-C", commit, "/").splitlines():
                kind, checksums = line[0], [word for word in line.split() if len(word) == 64]
                endings = ["dirtree", "dirmeta"] if kind == "d" else ["filez"]
                found |= {object_path(f"{name}.{end}") for name, end in zip(checksums, endings)}
        return found


def ostree(repository, *words):
    done = subprocess.run(["ostree", f"--repo={repository}", *words], capture_output=True, text=True,
                          timeout=60, check=False)
    if done.returncode:
        raise AssertionError(f"ostree {words}: {done.stdout}{done.stderr}")
    return done.stdout


def object_path(name):
    return f"objects/{name[:2]}/{name[2:]}"


class Ostree(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = Path(tempfile.mkdtemp(prefix="airlock-ostree-"))
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.repository = Repository(folder)
        cls.empty = folder / "empty"
        ostree(cls.empty, "init", "--mode=archive")
        cls.add("os", cls.repository.first, "verdin")
        cls.add("next", cls.repository.second, "apalis")
        cls.add("lost", "ab" * 32, "verdin")
        cls.cloud.tell("lockbox", "define", "image", "os-1")
        cls.cloud.tell("lockbox", "define", "both", "os-1", "next-1", "pump-controller-2.4.1")
        cls.cloud.tell("lockbox", "define", "nowhere", "lost-1")

    @classmethod
    def add(cls, name, commit, hwid, *options):
        cls.cloud.tell("package", "add", name, "1", "--hwid", hwid, "--commit", commit, *options)

    def setUp(self):
        super().setUp()
        self.serve(self.repository.path, self.empty)
        self.login()
        self.cloud.clear_log()

    def serve(self, treehub, feed):
        self.cloud.tell("ostree", treehub)
        self.cloud.tell("ostree", feed, "--feed")

    def expect_repository(self, folder, *commits):
        """`ostree` accepts it, it holds exactly these commits' objects, and a device's pull succeeds."""
        ostree(folder, "fsck")
        held = {name for name in names(folder) if name.startswith("objects/")}
        self.assertEqual(held, self.repository.objects(*commits))
        for name in held:
            self.assertEqual((folder / name).read_bytes(), (self.repository.path / name).read_bytes())
        device = self.home / f"device-{len(list(self.home.iterdir()))}"
        ostree(device, "init", "--mode=bare-user-only")
        ostree(device, "remote", "add", "--no-sign-verify", "--no-gpg-verify", "stick", f"file://{folder}")
        for commit in commits:
            ostree(device, "pull", "stick", commit)
            ostree(device, "pull-local", "--untrusted", str(folder), commit)
        ostree(device, "fsck")

    def install_from(self, folder):
        answer = self.ok("verify", folder)
        self.assertEqual((answer["items"][0] if "items" in answer else answer)["verdict"], "install")

    # To the stick.

    def test_an_image_gets_from_the_cloud_to_a_device_folder(self):
        [fetched] = self.ok("fetch", "image")["fetched"]
        self.assertGreater(fetched["bytes"], 3_000_000)
        self.serve(self.empty, self.empty)  # from here on nothing comes from there
        self.ok("write", "image", self.stick, "--as", "plain")
        self.install_from(self.stick / "update")
        self.expect_repository(self.stick / "update" / "images" / "ostree", self.repository.first)
        self.ok("write", "image", self.stick)
        self.install_from(self.bundle())
        self.ok("apply", self.bundle(), "--to", self.home / "applied")
        self.assertEqual(tree(self.home / "applied"), tree(self.stick / "update"))
        self.expect_repository(self.home / "applied" / "images" / "ostree", self.repository.first)

    def test_two_images_share_what_they_have_in_common(self):
        self.ok("prepare", "both", self.stick, "--as", "plain")
        self.install_from(self.stick / "update")
        self.expect_repository(self.stick / "update" / "images" / "ostree", self.repository.first,
                               self.repository.second)

    def test_a_read_only_repository_can_be_pulled_from(self):
        """What a stick mounted read-only is: nothing can be made that is missing."""
        self.ok("prepare", "image", self.stick, "--as", "plain")
        folder = self.stick / "update" / "images" / "ostree"
        for needed in ("tmp", "refs/heads", "refs/remotes", "objects", "config"):
            self.assertTrue((folder / needed).exists(), needed)
        self.assertEqual(ostree(folder, "refs"), "")

    # From where.

    def test_the_feed_is_asked_for_what_the_account_lacks_and_sees_no_login(self):
        self.serve(self.empty, self.repository.path)
        self.ok("fetch", "image")
        origins = {(entry["origin"], entry["authorization"]) for entry in self.cloud.log()
                   if entry["origin"] in ("ostree", "feed")}
        self.assertEqual(origins, {("ostree", True), ("feed", False)})

    def test_a_commit_that_nobody_has_is_named(self):
        self.refuses(5, "no-such-commit", "fetch", "nowhere", says=["ab" * 32, "'lost-1'"])
        self.assert_nothing_kept("nowhere")

    def test_a_repository_of_this_machine(self):
        self.serve(self.empty, self.empty)
        self.ok("login", "--credentials", self.cloud.credentials, "--ostree-url", f"file://{self.repository.path}")
        self.ok("prepare", "image", self.stick, "--as", "plain")
        self.expect_repository(self.stick / "update" / "images" / "ostree", self.repository.first)

    # Interrupted, and damaged on the way.

    def fetched_objects(self):
        """Those with their names: "ab/cdef….filez"."""
        objects = self.cache / "ostree" / "objects"
        return {str(path.relative_to(objects)) for path in files_beneath(objects)
                if path.suffix in (".commit", ".dirtree", ".dirmeta", ".filez")}

    def test_a_killed_fetch_goes_on_and_asks_for_nothing_twice(self):
        self.fault(OBJECTS, "slow", "rate=400000")
        total = len(self.repository.objects(self.repository.first))
        for some in (5, total // 2):
            process = self.start("fetch", "image")
            self.wait_until(lambda: len(self.fetched_objects()) >= some or process.poll() is not None, "some objects")
            process.send_signal(signal.SIGKILL)
            self.finish(process)
            self.assert_nothing_kept("image")
            self.assertFalse((self.cache / "ostree" / object_path(f"{self.repository.first}.commit")).exists())
        held = self.fetched_objects()
        self.assertGreaterEqual(len(held), total // 2)
        self.forget_what_went_wrong()
        self.cloud.clear_log()
        self.ok("fetch", "image")
        asked = {entry["path"] for entry in self.cloud.log()
                 if entry["origin"] == "ostree" and entry["method"] == "GET"}
        asked = {path.partition("/objects/")[2] for path in asked} - {""}
        self.assertTrue(asked)
        self.assertEqual(asked & held, set())
        ostree(self.cache / "ostree", "fsck")

    def test_two_fetches_at_once_ask_for_each_object_once(self):
        self.fault(OBJECTS, "slow", "rate=2000000")
        both = [self.start("--json", "fetch", "image") for _ in range(2)]
        for process in both:
            self.assertEqual(self.finish(process).code, 0)
        asked = [entry["path"] for entry in self.cloud.log() if entry["origin"] == "ostree" and entry["status"] == 200
                 and entry["method"] == "GET"]
        self.assertEqual(len(asked), len(set(asked)))
        self.assertEqual(len(asked), len(self.repository.objects(self.repository.first)))

    def some_object(self, kind, least=0):
        return next(name for name in sorted(self.repository.objects(self.repository.first))
                    if name.endswith(kind) and (self.repository.path / name).stat().st_size >= least)

    def test_an_object_that_arrives_damaged_is_fetched_once_more_and_then_named(self):
        for kind, least in (("dirtree", 0), ("filez", 100), ("filez", 2_000_000)):
            path = self.some_object(kind, least)
            with self.subTest(kind=kind, least=least):
                self.fault(path, "flip", "at=30")
                self.refuses(3, "wrong-hash", "fetch", "image", says=["'os-1'", path])
                self.assertEqual(len([e for e in self.cloud.log() if e["path"].endswith(path)]), 2)
                self.assertFalse((self.cache / "ostree" / path).exists())
                self.assert_nothing_kept("image")
                self.forget_what_went_wrong()
                self.fault(path, "flip", "at=30", times=1)
                self.ok("fetch", "image")
                self.forget_what_went_wrong()
                shutil.rmtree(self.cache)
                self.cloud.clear_log()

    def test_an_object_that_the_server_lacks_is_named(self):
        path = self.some_object("filez")
        self.fault(path, "status", "code=404")
        self.refuses(5, "no-such-file", "fetch", "image", says=["'os-1'", path])

    def test_a_store_that_was_damaged_is_told_and_mended(self):
        self.ok("fetch", "image")
        damaged = self.cache / "ostree" / self.some_object("filez", 2_000_000)
        with damaged.open("r+b") as file:
            file.seek(1_000_000)
            file.write(b"not what was fetched")
        self.refuses(3, "wrong-hash", "write", "image", self.stick)
        self.assertFalse(damaged.exists())
        self.refuses(2, "not-fetched", "write", "image", self.stick)
        self.ok("fetch", "image")
        self.ok("write", "image", self.stick)

    # Verified before it leaves.

    def verify(self, path):
        outcome = self.airlock("--json", "verify", path)
        answer = outcome.answer["items"][0] if "items" in outcome.answer else outcome.answer
        return outcome.code, answer["verdict"], answer["problems"]

    def test_every_object_of_a_plain_folder_counts(self):
        self.ok("prepare", "both", self.stick, "--as", "plain")
        folder = self.stick / "update" / "images" / "ostree"
        objects = self.repository.objects(self.repository.second)
        own = sorted(objects - self.repository.objects(self.repository.first))
        for name in sorted(objects)[::9] + own:
            content = (folder / name).read_bytes()
            for damage, error in ((None, "missing-target"), (bytes([content[0] ^ 1]) + content[1:], "wrong-hash")):
                with self.subTest(name=name, error=error):
                    (folder / name).unlink()
                    if damage:
                        (folder / name).write_bytes(damage)
                    code, verdict, problems = self.verify(self.stick / "update")
                    self.assertEqual((code, verdict), (3, "refuse"))
                    self.assertEqual({p["id"] for p in problems}, {error})
                    self.assertTrue(all(name in p["message"] and p["device_refuses"] for p in problems), problems)
                    (folder / name).write_bytes(content)
        self.assertEqual(self.verify(self.stick / "update")[0], 0)

    def test_an_image_of_sparse_objects_is_not_read(self):
        self.ok("prepare", "image", self.home, "--as", "plain")
        image = self.home / "torizon-lockbox.squashfs"

        def make_image():
            image.unlink(missing_ok=True)
            subprocess.run(["mksquashfs", self.home / "update", image, "-quiet", "-no-progress"], check=True,
                           stdout=subprocess.DEVNULL)
            return self.airlock("--json", "verify", image)

        outcome = make_image()
        self.assertEqual((outcome.code, outcome.answer["problems"]), (0, []), str(outcome))
        stranger = self.home / "update/images/ostree" / object_path(f"{'0' * 64}.filez")
        stranger.parent.mkdir(exist_ok=True)
        with open(stranger, "wb") as sparse:
            sparse.truncate(80 * image.stat().st_size)
        outcome = make_image()
        self.assertEqual((outcome.code, [p["id"] for p in outcome.answer["problems"]]), (3, ["too-large"]), str(outcome))

    def test_a_bundle_that_somebody_packed_wrong_is_neither_installed_nor_carried_on(self):
        """Its hashes fit what is packed: only the content tells that it is another file."""
        self.ok("prepare", "image", self.stick, "--as", "plain")
        name = self.some_object("filez", 2_000_000)
        path = self.stick / "update" / "images" / "ostree" / name
        content = bytearray(path.read_bytes())
        content[1_000_000] ^= 1
        path.write_bytes(content)
        packed = self.home / "packed"
        packed.mkdir()
        subprocess.run([os.environ["BUNDLE_TOOL"], "write", self.stick / "update", packed, "image.lockbox"],
                       check=True, capture_output=True)
        bundle = packed / "image.lockbox"
        code, verdict, problems = self.verify(bundle)
        self.assertEqual((code, verdict, [p["id"] for p in problems]), (3, "refuse", ["wrong-hash"]))
        self.assertIn(name, problems[0]["message"])
        self.refuses(3, "wrong-hash", "apply", bundle, "--to", self.home / "applied", says=name)
        self.assertFalse((self.home / "applied").exists())
        for how in ("bundle", "plain"):
            (self.home / how).mkdir()
            self.refuses(3, "wrong-hash", "write", bundle, self.home / how, "--as", how, says=name)
            self.assertEqual(names(self.home / how), [])

    def test_what_only_another_device_needs_is_told_and_refused_by_that_one_only(self):
        self.ok("prepare", "both", self.stick, "--as", "plain")
        own = self.repository.objects(self.repository.second) - self.repository.objects(self.repository.first)
        (self.stick / "update" / "images" / "ostree" / sorted(own)[0]).unlink()
        for hwid, verdict in (("verdin", "install"), ("apalis", "refuse")):
            outcome = self.airlock("--json", "verify", self.stick / "update", "--hwid", hwid)
            self.assertEqual(outcome.answer["verdict"], verdict, str(outcome))

    def test_a_folder_that_is_no_repository(self):
        self.ok("prepare", "image", self.stick, "--as", "plain")
        config = self.stick / "update" / "images" / "ostree" / "config"
        config.write_text("[core]\nmode=bare\n")
        self.assertEqual([p["id"] for p in self.verify(self.stick / "update")[2]], ["missing-target"])
        shutil.rmtree(config.parent)
        self.assertIn("missing-target", [p["id"] for p in self.verify(self.stick / "update")[2]])


if __name__ == "__main__":
    scenario.main()
