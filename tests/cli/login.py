#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Logging in: what is checked, what is stored, and where no secret may ever stand."""

import json
import zipfile
from pathlib import Path

import scenario
from scenario import Cloud, Scenario, names, tree


class Login(Scenario):
    def archive(self, **entries):
        """The account's credentials.zip with some entries replaced, or left out where None."""
        path = self.home / "changed.zip"
        with zipfile.ZipFile(self.cloud.credentials) as whole:
            held = {name: whole.read(name) for name in whole.namelist()}
        held.update({name.replace("_json", ".json"): data for name, data in entries.items()})
        with zipfile.ZipFile(path, "w") as changed:
            for name, data in held.items():
                if data is not None:
                    changed.writestr(name, data)
        return path

    def refuses_login(self, code, error, credentials, **how):
        self.refuses(code, error, "--cacert", self.cloud.ca, "login", "--credentials", credentials, **how)
        self.assertEqual(names(self.config), [], "a login that failed left a profile")
        self.assertEqual(names(self.state), [], "a login that failed pinned roots")

    def test_a_login_stores_a_profile_and_pins_both_roots(self):
        answer = self.login()
        self.assertEqual((answer["profile"], answer["lockboxes"], answer["first_contact"]),
                         ("default", True, True))
        self.assertEqual(names(self.config), ["config", "secrets"])
        self.assertEqual(names(self.state / "trust" / "default"), ["director/root.json", "memory.json", "repo/root.json"])
        again = self.login()
        self.assertFalse(again["first_contact"])
        self.assertEqual(again["roots"], answer["roots"])

    def test_the_folders_of_state_and_configuration_are_private(self):
        self.login()
        for folder in (self.cache, self.state, self.config):
            self.assertEqual(folder.stat().st_mode & 0o777, 0o700, folder)

    def test_a_wrong_secret_is_refused_and_nothing_is_stored(self):
        treehub = json.loads(json.dumps(self.cloud.treehub))
        treehub["oauth2"]["client_secret"] = "wrong"
        self.refuses_login(5, "login-refused", self.archive(treehub_json=json.dumps(treehub)))

    def test_an_archive_that_is_none_is_refused(self):
        for content in (b"", b"PK\x03\x04 and then nothing", b"<html>not logged in</html>"):
            with self.subTest(content=content):
                path = self.home / "broken.zip"
                path.write_bytes(content)
                self.refuses_login(2, "bad-credentials", path, says="broken.zip")

    def test_an_archive_cut_short_is_refused(self):
        path = self.home / "cut.zip"
        path.write_bytes(Path(self.cloud.credentials).read_bytes()[:400])
        self.refuses_login(2, "bad-credentials", path, says="cut.zip")

    def test_an_archive_without_the_server_or_with_bad_json_is_refused(self):
        self.refuses_login(2, "bad-credentials", self.archive(treehub_json=None), says="treehub.json")
        self.refuses_login(2, "bad-credentials", self.archive(treehub_json="{"), says="treehub.json")

    def test_a_file_that_is_not_there_is_named(self):
        self.refuses_login(2, "no-such-path", self.home / "none.zip", says="none.zip")

    def test_an_unknown_ca_is_refused(self):
        self.refuses(5, "tls", "login", "--credentials", self.cloud.credentials)
        self.assertEqual(names(self.config), [])
        self.refuses(2, "no-such-path", "--cacert", self.home / "none.pem", "login",
                     "--credentials", self.cloud.credentials, says="none.pem")
        outcome = self.refuses(5, "tls", "--cacert", self.cloud.credentials, "login",
                               "--credentials", self.cloud.credentials)
        self.assertIn("hint: the file that --cacert names", outcome.stderr)

    def test_the_ca_is_remembered_with_the_profile(self):
        self.login()
        self.assertEqual(len(self.ok("list")["lockboxes"]), 3)

    def test_an_archive_with_another_root_than_the_cloud_serves_is_refused(self):
        foreign = self.home / "foreign.zip"
        self.cloud.tell("tamper", "add", "director/1.root", "rewrite")
        self.refuses_login(3, "root-changed", self.cloud.credentials, says="director")
        self.cloud.tell("tamper", "clear")
        self.cloud.tell("credentials", foreign, "--no-roots")
        self.assertTrue(self.ok("--cacert", self.cloud.ca, "login", "--credentials", foreign)
                        ["first_contact"])

    def test_another_account_does_not_take_over_a_profile(self):
        self.login()
        before = tree(self.state), tree(self.config)
        other = Cloud(self.home / "other-cloud", "--keys", "ed25519")
        try:
            self.refuses(3, "root-changed", "--cacert", other.ca, "login", "--credentials", other.credentials)
        finally:
            other.stop()
        self.assertEqual((tree(self.state), tree(self.config)), before)

    def test_given_roots_count_instead_of_pinned_ones(self):
        self.login()
        pinned, foreign = self.state / "trust" / "default", self.home / "foreign"
        self.ok("fetch", "pump-7", "--trust", pinned)
        other = Cloud(self.home / "other-cloud", "--keys", "ed25519")
        try:
            with zipfile.ZipFile(other.credentials) as archive:
                for entry, place in (("director.root.json", "director"), ("root.json", "repo")):
                    (foreign / place).mkdir(parents=True)
                    (foreign / place / "root.json").write_bytes(archive.read(entry))
        finally:
            other.stop()
        self.refuses(3, "root-changed", "fetch", "pump-7", "--trust", foreign)
        self.refuses(2, "no-such-path", "fetch", "pump-7", "--trust", self.home / "nowhere")

    def test_nobody_logged_in_is_said_with_what_to_do(self):
        for words in (["list"], ["fetch", "pump-7"], ["prepare", "pump-7", self.stick]):
            outcome = self.refuses(2, "no-profile", *words)
            self.assertIn("hint: airlock login", outcome.stderr)
        self.assert_stick_is_empty()

    def test_an_api_client_comes_from_the_environment(self):
        client = {"AIRLOCK_CLIENT_ID": self.cloud.env["REHEARSAL_CLIENT_ID"],
                  "AIRLOCK_CLIENT_SECRET": self.cloud.env["REHEARSAL_CLIENT_SECRET"]}
        words = ("--cacert", self.cloud.ca, "login", "--api-client",
                 "--api-url", self.cloud.env["REHEARSAL_API_URL"],
                 "--api-token-url", self.cloud.env["REHEARSAL_TOKEN_URL"])
        self.refuses(5, "login-refused", *words, env=client | {"AIRLOCK_CLIENT_SECRET": "wrong"})
        answer = self.ok(*words, env=client)
        self.assertEqual((answer["platform_api"], answer["lockboxes"]), (True, False))
        self.assertEqual({row["name"] for row in self.ok("list")["lockboxes"]},
                         {"pump-7", "press-line", "valve-9"})

    def test_without_a_terminal_nobody_is_asked(self):
        outcome = self.refuses(2, "usage", "login", "--api-client", says="no terminal")
        self.assertIn("AIRLOCK_CLIENT_SECRET", outcome.stderr)

    def test_an_address_without_tls_in_a_stored_profile_is_not_used(self):
        self.login()
        config = self.config / "config"
        before = config.read_text()
        for key in ("repo-url", "director-url", "token-url"):
            line = next(line for line in before.splitlines() if line.startswith(key))
            config.write_text(before.replace(line, f"{key} = http://example.com/x"))
            for words in (["list"], ["fetch", "pump-7"]):
                self.refuses(2, "bad-config", *words, says=["profile 'default'", "http://example.com/x"])

    def test_a_secrets_file_that_others_can_read_is_not_used(self):
        self.login()
        (self.config / "secrets").chmod(0o644)
        self.refuses(2, "bad-config", "list", says="secrets")
        (self.config / "secrets").chmod(0o600)

    def test_profiles_stand_beside_each_other(self):
        self.login()
        self.ok("--cacert", self.cloud.ca, "--profile", "second", "login",
                "--credentials", self.cloud.credentials)
        self.ok("--profile", "second", "fetch", "pump-7")
        self.assert_nothing_kept("pump-7")
        self.assertEqual(sorted(path.name for path in (self.state / "trust").iterdir()),
                         ["default", "second"])
        outcome = self.refuses(2, "no-profile", "--profile", "third", "list", says="third")
        self.assertIn("hint: airlock --profile third login", outcome.stderr)
        self.refuses(2, "bad-config", "--profile", "../third", "list")

    def test_no_secret_stands_in_the_arguments_while_airlock_works(self):
        self.login()
        self.fault("^GET store/", "slow", "rate=200000")
        process = self.start("fetch", "pump-7")
        self.wait_until(self.cloud.targets_asked_for, "a transfer begins")
        arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        process.kill()
        process.communicate()
        self.assertIn(b"pump-7", arguments)
        for secret in self.cloud.secrets:
            self.assertNotIn(secret.encode(), arguments)


if __name__ == "__main__":
    scenario.main()
