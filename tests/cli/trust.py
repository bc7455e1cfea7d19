#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Whom this computer trusts: first contact, what it remembers of the cloud, and what it hands to a device."""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import zipfile

import scenario
from scenario import Scenario, names, tree


def fingerprint(data):
    canonical = json.dumps(json.loads(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


class TrustScenario(Scenario):
    """Each test finds the account as it was; what it did to its history is undone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A director's root that lasts: else each test would be served one that was issued anew for it.
        cls.cloud.tell("set", "root-days", 7000)
        cls.cloud.tell("rotate", "director")
        cls.cloud.tell("checkpoint", "start")
        with zipfile.ZipFile(cls.cloud.credentials) as archive:
            cls.roots = {"director": archive.read("director.root.json"), "repo": archive.read("root.json")}
        cls.fingerprints = {"director": fingerprint(cls.roots["director"]),
                            "image_repo": fingerprint(cls.roots["repo"])}

    def setUp(self):
        super().setUp()
        self.cloud.tell("restore", "start")
        self.pins = self.state / "trust" / "default"

    def credentials(self, *options):
        path = self.home / "other.zip"
        self.cloud.tell("credentials", path, *options)
        return path

    def login_with(self, credentials):
        return self.ok("--cacert", self.cloud.ca, "login", "--credentials", credentials)

    def repo(self, profile, number):
        return profile["repositories"][number]

    def refuses_and_keeps(self, error, *words, says):
        """Refused with exit code 3, and nothing that is known of the account is changed."""
        before = tree(self.state), tree(self.config)
        outcome = self.refuses(3, error, *words, says=says)
        self.assertEqual((tree(self.state), tree(self.config)), before, str(outcome))
        return outcome


class FirstContact(TrustScenario):
    def test_login_shows_both_fingerprints_and_where_they_come_from(self):
        outcome = self.airlock("--cacert", self.cloud.ca, "login", "--credentials", self.cloud.credentials)
        self.assertIn("first contact", outcome.stdout)
        self.assertIn("credentials.zip and the cloud agree", outcome.stdout)
        for digest in self.fingerprints.values():
            self.assertIn(digest, outcome.stdout)
        self.assertEqual(self.login()["roots"], self.fingerprints)

    def test_roots_that_only_one_of_them_vouches_for_are_told_apart(self):
        bare = self.credentials("--no-director-root")
        outcome = self.airlock("--cacert", self.cloud.ca, "login", "--credentials", bare)
        self.assertRegex(outcome.stdout, "director: as the cloud served it over TLS")
        self.assertRegex(outcome.stdout, "image repo: credentials.zip and the cloud agree")
        [profile] = self.ok("trust", "show")["profiles"]
        self.assertEqual([row["origin"] for row in profile["repositories"]], ["cloud", "credentials"])

    def test_a_first_root_that_is_not_signed_by_its_own_keys_is_not_pinned(self):
        self.cloud.tell("tamper", "add", "director/1.root", "flip-signature")
        self.refuses(3, "bad-signature", "--cacert", self.cloud.ca, "login", "--credentials",
                     self.credentials("--no-roots"), says="director")
        self.assertEqual(names(self.state), [])

    def test_a_later_login_compares_what_its_archive_carries(self):
        self.login()
        self.cloud.tell("restart", "roots", "repo")
        foreign = self.credentials()
        self.cloud.tell("restore", "start")
        with zipfile.ZipFile(foreign) as archive:
            other = fingerprint(archive.read("root.json"))
        self.refuses_and_keeps("root-changed", "login", "--credentials", foreign,
                               says=["image repository", other, self.fingerprints["image_repo"]])

    def test_fetch_shows_the_roots_that_it_pins(self):
        self.login()
        shutil.rmtree(self.state)
        outcome = self.airlock("-q", "fetch", "pump-7")
        self.assertEqual(outcome.code, 0, str(outcome))
        for digest in self.fingerprints.values():
            self.assertIn(digest, outcome.stdout)
        self.assertNotIn("first contact", self.airlock("fetch", "pump-7").stdout)

    def test_prepare_shows_them_in_json_also_when_the_packages_fail(self):
        self.login()
        shutil.rmtree(self.state)
        self.assertEqual(self.ok("prepare", "pump-7", self.stick)["pinned"], self.fingerprints)
        self.assertNotIn("pinned", self.ok("fetch", "pump-7"))
        shutil.rmtree(self.state)
        shutil.rmtree(self.cache)
        self.fault("^GET store/", "status", "code=404")
        outcome = self.airlock("--json", "fetch", "pump-7")
        self.assertNotEqual(outcome.code, 0)
        self.assertTrue((self.pins / "director" / "root.json").exists())
        for digest in self.fingerprints.values():
            self.assertIn(digest, outcome.stderr)

    def test_given_roots_are_checked_as_well_and_never_instead(self):
        self.login()
        provisioned = self.home / "provisioned"
        self.ok("trust", "export", provisioned)
        self.ok("fetch", "pump-7", "--trust", provisioned)
        self.cloud.tell("restart", "roots", "director")
        new = self.home / "new"
        with zipfile.ZipFile(self.credentials()) as archive:
            for entry, place in (("director.root.json", "director"), ("root.json", "repo")):
                (new / place).mkdir(parents=True)
                (new / place / "root.json").write_bytes(archive.read(entry))
        self.refuses_and_keeps("root-changed", "fetch", "pump-7", "--trust", new, says="director")

    def test_a_second_laptop_starts_from_what_the_first_exports(self):
        self.login()
        provisioned = self.home / "provisioned"
        self.ok("trust", "export", provisioned)
        second = ("--profile", "second", "--cacert", self.cloud.ca, "login",
                  "--credentials", self.cloud.credentials, "--trust", provisioned)
        self.ok(*second)
        [profile] = self.ok("--profile", "second", "trust", "show")["profiles"]
        self.assertEqual([row["origin"] for row in profile["repositories"]], ["folder", "folder"])
        (provisioned / "repo" / "root.json").write_bytes((provisioned / "director" / "root.json").read_bytes())
        self.refuses(3, "root-changed", *("third" if word == "second" else word for word in second),
                     says="image repository")
        self.assertFalse((self.state / "trust" / "third" / "director" / "root.json").exists())

    def test_given_roots_are_pinned_where_none_are(self):
        self.login()
        provisioned = self.home / "provisioned"
        self.ok("trust", "export", provisioned)
        shutil.rmtree(self.state)
        (self.config / "config").write_text("".join(
            line for line in (self.config / "config").read_text().splitlines(True) if "-root = " not in line))
        self.assertEqual(self.ok("fetch", "pump-7", "--trust", provisioned)["pinned"], self.fingerprints)
        [profile] = self.ok("trust", "show")["profiles"]
        self.assertEqual([row["origin"] for row in profile["repositories"]], ["folder", "folder"])


class LostFolders(TrustScenario):
    def test_trust_survives_the_loss_of_the_cache(self):
        self.login()
        self.ok("fetch", "pump-7")
        before = tree(self.state)
        shutil.rmtree(self.cache)
        answer = self.ok("fetch", "pump-7")
        self.assertEqual((answer["fetched"][0]["first_contact"], "pinned" in answer), (False, False))
        self.assertEqual(tree(self.state), before)
        shutil.rmtree(self.cache)
        self.cloud.tell("restart", "roots", "director")
        self.refuses_and_keeps("root-changed", "fetch", "pump-7", says=self.fingerprints["director"])

    def test_the_loss_of_the_state_does_not_pin_other_roots_than_before(self):
        self.login()
        shutil.rmtree(self.state)
        self.cloud.tell("restart", "roots", "director")
        self.refuses_and_keeps("root-changed", "fetch", "pump-7", says=self.fingerprints["director"])
        self.refuses_and_keeps("root-changed", "login", "--credentials", self.credentials("--no-roots"),
                               says=self.fingerprints["director"])
        self.assertEqual(names(self.state), [])
        self.cloud.tell("restore", "start")
        self.assertEqual(self.ok("fetch", "pump-7")["pinned"], self.fingerprints)

    def test_a_memory_that_cannot_be_read_is_no_empty_memory(self):
        self.login()
        self.ok("fetch", "pump-7")
        for content in ("", "{}", '{"schema":1,"schema":1}', '{"schema":2}', '{"schema":1,"director":[]}'):
            (self.pins / "memory.json").write_text(content)
            self.refuses(2, "bad-config", "fetch", "pump-7", says="memory.json")
        (self.pins / "memory.json").unlink()
        self.ok("fetch", "pump-7")


class Alarms(TrustScenario):
    """A history of roots that is another one: said loudly, and nothing follows it."""

    def setUp(self):
        super().setUp()
        self.login()
        self.ok("fetch", "pump-7")

    def begin_anew(self):
        self.cloud.tell("restore", "start")
        shutil.rmtree(self.state)

    def assert_alarm(self, error, *says):
        for words in (["fetch", "pump-7"], ["prepare", "pump-7", self.stick],
                      ["login", "--credentials", self.credentials("--no-roots")]):
            with self.subTest(words=words[0]):
                outcome = self.refuses_and_keeps(error, *words, says=says)
                self.assertIn("hint: nothing that is pinned was changed", outcome.stderr)
                self.assertIn("ask the owner", outcome.stderr)
        self.assert_stick_is_empty()

    def newest(self, folder):
        return fingerprint((self.pins / folder / "newest.json").read_bytes())

    def test_an_account_with_another_first_root(self):
        for folder, title, key in (("director", "director", "director"),
                                   ("repo", "image repository", "image_repo")):
            with self.subTest(repository=title):
                self.cloud.tell("restore", "start")
                self.cloud.tell("restart", "roots", folder)
                with zipfile.ZipFile(self.credentials()) as archive:
                    served = fingerprint(archive.read(
                        "director.root.json" if folder == "director" else "root.json"))
                self.assert_alarm("root-changed", title, "version 1", self.fingerprints[key], served)

    def test_a_newest_root_that_was_issued_differently(self):
        for repository in ("director", "repo"):
            with self.subTest(repository=repository):
                self.begin_anew()
                self.cloud.tell("rotate", repository)
                self.ok("fetch", "pump-7")
                known = self.newest(repository)
                self.cloud.tell("restore", "start")
                self.cloud.tell("rotate", repository)
                self.assert_alarm("root-changed", known)

    def test_a_history_that_is_cut_short(self):
        for repository in ("director", "repo"):
            with self.subTest(repository=repository):
                self.begin_anew()
                self.cloud.tell("rotate", repository)
                self.ok("fetch", "pump-7")
                known = self.newest(repository)
                self.cloud.tell("restore", "start")
                self.assert_alarm("rollback", known)

    def test_a_first_root_that_is_not_served_any_more(self):
        for repository, key in (("director", "director"), ("repo", "image_repo")):
            with self.subTest(repository=repository):
                self.cloud.tell("tamper", "clear")
                self.cloud.tell("tamper", "add", f"{repository}/1.root", "missing")
                self.assert_alarm("rollback", "1.root.json", self.fingerprints[key])

    def test_a_history_that_goes_on_is_followed_without_a_word(self):
        self.cloud.tell("rotate", "director", "--times", "2")
        self.cloud.tell("rotate", "repo", "--every-role")
        outcome = self.airlock("fetch", "pump-7")
        self.assertEqual(outcome.code, 0, str(outcome))
        [profile] = self.ok("trust", "show")["profiles"]
        for row in profile["repositories"]:
            self.assertLess(row["first"]["version"], row["newest"]["version"])
        self.login()


class Replay(TrustScenario):
    """Roles that are signed as they should be, and older than what was served before."""

    def setUp(self):
        super().setUp()
        self.login()

    def define(self, name, *packages):
        self.cloud.tell("lockbox", "define", name, *packages)

    def test_an_older_offline_snapshot_is_refused_also_for_another_lockbox(self):
        self.ok("fetch", "pump-7")
        self.define("other", "pump-controller-2.4.1")
        self.ok("fetch", "other")
        self.cloud.tell("restore", "start")
        self.refuses_and_keeps("rollback", "fetch", "pump-7",
                               says=["director/offline-snapshot.json", "was seen before"])

    def test_an_older_lockbox_in_a_newer_snapshot_is_refused(self):
        self.define("pump-7", "pump-controller-2.4.1")
        self.ok("fetch", "pump-7")
        self.cloud.tell("restore", "start")
        for name in "abc":
            self.define(name, "pump-controller-2.4.1")
        self.refuses_and_keeps("rollback", "fetch", "pump-7",
                               says=["director/pump-7.json: version 1 is served, version 2"])
        self.refuses_and_keeps("rollback", "fetch", "a", says="director/pump-7.json")

    def test_equal_versions_with_other_content_are_refused(self):
        self.define("pump-7", "pump-controller-2.4.1")
        self.ok("fetch", "pump-7")
        self.cloud.tell("restore", "start")
        self.define("pump-7", "bootloader/verdin-imx8mm-6.8.0")
        self.refuses_and_keeps("rollback", "fetch", "pump-7",
                               says=["offline-snapshot.json", "with other content"])
        self.define("a", "pump-controller-2.4.1")
        self.refuses_and_keeps("rollback", "fetch", "pump-7",
                               says=["director/pump-7.json", "with other content"])

    def test_older_roles_of_the_image_repository_are_refused(self):
        self.cloud.tell("package", "add", "valve", "1", "--hwid", "valve", "--random", "10")
        self.cloud.tell("package", "add", "pump-recipes", "2027", "--hwid", "pump-recipes", "--random", "10",
                        "--role", "tdx-containers")
        self.ok("fetch", "pump-7")
        self.cloud.tell("restore", "start")
        self.refuses_and_keeps("rollback", "fetch", "pump-7", says="image-repo/snapshot.json")
        for number in range(4):
            self.cloud.tell("rotate", "repo")
        self.refuses_and_keeps("rollback", "fetch", "pump-7", says="image-repo/tdx-containers.json")

    def test_what_the_cloud_renews_as_it_serves_it_is_no_replay(self):
        self.cloud.tell("set", "offline-snapshot-days", 90)
        try:
            self.define("other", "pump-controller-2.4.1")
            seen = []
            for _ in range(3):
                self.ok("fetch", "pump-7")
                [profile] = self.ok("trust", "show")["profiles"]
                seen.append(self.repo(profile, 0)["seen_snapshot"])
            self.assertEqual(sorted(set(seen)), seen, "each fetch was served a newer offline snapshot")
        finally:
            self.cloud.tell("set", "offline-snapshot-days", 365)

    def test_a_deleted_lockbox_may_come_back_with_any_version(self):
        self.define("short", "pump-controller-2.4.1")
        self.define("short", "pump-controller-2.4.1")
        self.ok("fetch", "short")
        self.cloud.tell("lockbox", "delete", "short")
        self.ok("fetch", "pump-7")
        self.assertNotIn("short.json", (self.pins / "memory.json").read_text())
        self.define("short", "pump-controller-2.4.1")
        self.ok("fetch", "short")

    def test_changed_keys_of_the_snapshot_allow_versions_from_one_on(self):
        for number in range(3):
            self.define(f"box-{number}", "pump-controller-2.4.1")
        self.ok("fetch", "pump-7")
        for repository in ("director", "repo"):
            with self.subTest(repository=repository):
                self.cloud.tell("rotate", repository)
                self.cloud.tell("restart", "versions", repository)
                self.refuses_and_keeps("rollback", "fetch", "pump-7", says="snapshot.json: version 1 is served")
                self.cloud.tell("rotate", repository, "--every-role")
                self.cloud.tell("restart", "versions", repository)
                self.ok("fetch", "pump-7")

    def test_profiles_remember_for_themselves(self):
        self.define("pump-7", "pump-controller-2.4.1")
        self.ok("fetch", "pump-7")
        self.cloud.tell("restore", "start")
        self.ok("--cacert", self.cloud.ca, "--profile", "second", "login",
                "--credentials", self.cloud.credentials)
        self.ok("--profile", "second", "fetch", "pump-7")
        self.refuses_and_keeps("rollback", "fetch", "pump-7", says="offline-snapshot.json")

    def test_what_is_refused_for_another_reason_is_not_remembered(self):
        self.ok("fetch", "pump-7")
        before = tree(self.state)
        self.define("broken", "pump-controller-2.4.1")
        self.cloud.tell("tamper", "add", "director/lockbox:broken", "flip-signature")
        self.refuses(3, "bad-signature", "fetch", "broken")
        self.assertEqual(tree(self.state), before)

    def test_two_fetches_at_once_do_not_look_like_a_replay(self):
        self.cloud.tell("set", "offline-snapshot-days", 90)
        try:
            self.define("other", "pump-controller-2.4.1")
            self.fault("offline-snapshot", "delay", "seconds=0.3")
            runs = [self.start("fetch", name) for name in ("pump-7", "other", "pump-7", "other")]
            for process in runs:
                outcome = self.finish(process)
                self.assertEqual(outcome.code, 0, str(outcome))
        finally:
            self.cloud.tell("set", "offline-snapshot-days", 365)


class Show(TrustScenario):
    def test_nothing_pinned_is_said(self):
        self.assertEqual(self.ok("trust", "show")["profiles"], [])
        self.assertIn("nothing is pinned", self.airlock("trust", "show").stdout)
        outcome = self.refuses(2, "no-profile", "--profile", "none", "trust", "show", says="none")
        self.assertIn("hint: airlock --profile none login", outcome.stderr)
        self.assertFalse(self.state.exists(), "looking made a folder")

    def test_every_profile_is_shown_or_the_one_that_is_named(self):
        self.login()
        self.ok("--cacert", self.cloud.ca, "--profile", "second", "login",
                "--credentials", self.cloud.credentials)
        self.ok("fetch", "pump-7")
        shown = self.ok("trust", "show")["profiles"]
        self.assertEqual([profile["profile"] for profile in shown], ["default", "second"])
        director, image = shown[0]["repositories"]
        self.assertEqual((director["repo"], image["repo"]), ("director", "image-repo"))
        self.assertEqual((director["first"]["version"], director["newest"]["version"]), (1, 3))
        self.assertEqual(director["first"]["fingerprint"], self.fingerprints["director"])
        self.assertEqual(image["first"]["fingerprint"], self.fingerprints["image_repo"])
        newest = json.loads((self.pins / "director" / "newest.json").read_bytes())["signed"]
        self.assertEqual((director["newest"]["expires"], director["threshold"]),
                         (newest["expires"], newest["roles"]["root"]["threshold"]))
        self.assertEqual([(key["id"], key["type"]) for key in director["keys"]],
                         [(id, "ED25519") for id in newest["roles"]["root"]["keyids"]])
        self.assertEqual(director["origin"], "credentials")
        self.assertRegex(director["pinned_at"], r"^\d{4}-\d\d-\d\dT")
        self.assertGreater(director["seen_snapshot"], 0)
        self.assertEqual(self.repo(shown[1], 0)["seen_snapshot"], 0)
        [only] = self.ok("--profile", "second", "trust", "show")["profiles"]
        self.assertEqual(only["profile"], "second")
        text = self.airlock("trust", "show").stdout
        for word in (*self.fingerprints.values(), newest["expires"], director["keys"][0]["id"],
                     "profile 'second'", "credentials.zip and the cloud agree"):
            self.assertIn(word, text)

    def test_pins_of_an_earlier_version_are_shown_without_their_origin(self):
        self.login()
        (self.pins / "memory.json").unlink()
        [profile] = self.ok("trust", "show")["profiles"]
        self.assertEqual([(row["origin"], row["pinned_at"]) for row in profile["repositories"]],
                         [(None, None)] * 2)

    def test_a_pin_that_is_no_root_is_an_error(self):
        self.login()
        (self.pins / "repo" / "root.json").write_text("{}")
        self.refuses(2, "bad-config", "trust", "show", says=["default", "image repository"])
        self.refuses(2, "bad-config", "trust", "export", self.home / "out")
        self.assertFalse((self.home / "out").exists())

    def test_wrong_words_are_usage(self):
        for words in ([], ["list"], ["show", "x"], ["export"], ["export", "a", "b"]):
            self.refuses(2, "usage", "trust", *words)


class Export(TrustScenario):
    def setUp(self):
        super().setUp()
        self.login()
        self.out = self.home / "stick" / "import"

    def test_the_folder_holds_the_first_roots_byte_for_byte(self):
        self.ok("fetch", "pump-7")
        answer = self.ok("trust", "export", self.out)
        self.assertEqual(tree(self.out), {"director/root.json": self.pinned("director"),
                                          "repo/root.json": self.pinned("repo")})
        self.assertEqual([(file["path"], file["version"], file["fingerprint"]) for file in answer["files"]],
                         [("director/root.json", 1, self.fingerprints["director"]),
                          ("repo/root.json", 1, self.fingerprints["image_repo"])])
        for path in self.out.glob("*/root.json"):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o644)
        before = {path: path.stat().st_ino for path in self.out.glob("*/root.json")}
        self.ok("trust", "export", self.out)
        self.assertEqual({path: path.stat().st_ino for path in self.out.glob("*/root.json")}, before)

    def pinned(self, folder):
        return (self.pins / folder / "root.json").read_bytes()

    def test_a_device_that_starts_from_the_folder_installs_the_lockbox(self):
        self.cloud.tell("rotate", "director")
        self.ok("trust", "export", self.out)
        self.ok("prepare", "pump-7", self.stick, "--as", "plain")
        self.assertEqual(self.ok("verify", self.stick, "--trust", self.out)["items"][0]["verdict"], "install")

    def test_what_is_there_is_not_overwritten(self):
        (self.out / "repo").mkdir(parents=True)
        for content in (b"", b"another root"):
            (self.out / "repo" / "root.json").write_bytes(content)
            self.refuses(2, "already-exists", "trust", "export", self.out, says="repo/root.json")
            self.assertEqual(tree(self.out), {"repo/root.json": content})
        (self.out / "repo" / "root.json").unlink()
        os.symlink(self.pins / "repo" / "root.json", self.out / "repo" / "root.json")
        self.refuses(2, "already-exists", "trust", "export", self.out)
        (self.out / "repo" / "root.json").unlink()
        (self.out / "director").write_text("a file")
        self.refuses(2, "already-exists", "trust", "export", self.out, says="director/root.json")
        self.assertEqual(names(self.out), ["director"])

    def test_a_failure_leaves_nothing_half_made(self):
        pin = self.pins / "repo" / "root.json"
        pin.write_bytes(pin.read_bytes().replace(b"{", b"{" + b" " * 100_000, 1))
        self.out.mkdir(parents=True)
        done = subprocess.run(
            ["bash", "-c", f"trap '' XFSZ; ulimit -f 32; exec {scenario.AIRLOCK} trust export {self.out}"],
            cwd=self.home, env=self.env, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("repo/root.json", done.stderr)
        self.assertEqual(list(self.out.iterdir()), [])

    def test_without_pins_there_is_nothing_to_export(self):
        self.refuses(2, "no-profile", "--profile", "none", "trust", "export", self.out, says="none")
        self.assertFalse(self.out.exists())


if __name__ == "__main__":
    scenario.main()
