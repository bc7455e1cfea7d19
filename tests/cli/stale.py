#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A stick that was written a while ago: check and list say what the cloud has now, and what ends too soon."""

import shutil

import scenario
from scenario import Scenario

OFFLINE = "not compared with the cloud"


class Stale(Scenario):
    """The lockbox `brief` lies on the stick as a bundle and as a directory."""

    def setUp(self):
        super().setUp()
        self.login()
        self.cloud.tell("lockbox", "define", "brief", "pump-controller-2.4.1")
        self.version = self.ok("prepare", "brief", self.stick)["written"][0]["version"]
        self.ok("write", "brief", self.stick, "--as", "plain")

    def items(self, command, *words):
        items = self.ok(command, self.stick, *words)["items"]
        self.assertEqual([item["lockbox"] for item in items], ["brief", "brief"])
        return items

    def assert_cloud_is(self, state, version, shown):
        for command in ("check", "list"):
            for item in self.items(command):
                self.assertEqual((item["version"], item["cloud"], item["cloud_version"]),
                                 (self.version, state, version), command)
            self.assertEqual(self.airlock(command, self.stick).stdout.count(shown), 2, command)

    def held(self):
        return {row["name"]: row for row in self.ok("list")["lockboxes"]}["brief"]

    def test_the_same_version(self):
        self.assert_cloud_is("same", self.version, "  cloud        same\n")

    def test_a_newer_version(self):
        self.cloud.tell("lockbox", "define", "brief", "pump-controller-2.4.1")
        self.assert_cloud_is("newer", self.version + 1,
                             f"newer: version {self.version + 1}, here is version {self.version}\n")

    def test_a_lockbox_that_was_revoked(self):
        self.cloud.tell("lockbox", "define", "brief")
        self.assert_cloud_is("revoked", self.version + 1, "  cloud        revoked\n")

    def test_a_lockbox_that_was_deleted(self):
        self.cloud.tell("lockbox", "delete", "brief")
        self.assert_cloud_is("deleted", 0, "  cloud        deleted\n")
        row = self.held()
        self.assertEqual((row["state"], row["expires"], row["held_version"]),
                         ("deleted in the cloud", None, self.version))
        self.assertIn("deleted in the cloud", self.airlock("list").stdout)

    def test_a_cloud_that_does_not_answer_keeps_nobody_from_reading_a_stick(self):
        self.fault("/", "status", "code=503")
        outcome = self.airlock("--json", "check", self.stick)
        self.assertEqual(outcome.code, 0, str(outcome))
        self.assertEqual([item["cloud"] for item in outcome.answer["items"]], [None, None])
        self.assertIn(OFFLINE, outcome.stderr)
        self.assertNotIn("  cloud ", self.airlock("check", self.stick).stdout)
        self.cloud.clear_log()
        quiet = self.airlock("--json", "check", "--offline", self.stick)
        self.assertNotIn(OFFLINE, quiet.stderr)
        self.assertEqual((quiet.code, self.cloud.log()), (0, []))

    def test_without_a_login_nobody_is_asked(self):
        shutil.rmtree(self.config)
        self.cloud.clear_log()
        outcome = self.airlock("--json", "check", self.stick)
        self.assertEqual((outcome.code, outcome.stderr, self.cloud.log()), (0, "", []))

    def test_another_accounts_lockbox_is_not_compared(self):
        shutil.copytree(self.state / "trust" / "default", self.home / "kept")
        other = scenario.Cloud(self.home / "other", "--seed", "demo", "--keys", "ed25519")
        self.addCleanup(other.stop)
        other.tell("lockbox", "define", "brief", "pump-controller-2.4.1")
        other.tell("lockbox", "define", "brief", "pump-controller-2.4.1")
        self.ok("--profile", "other", "--cacert", other.ca, "login", "--credentials", other.credentials,
                "--feed-url", other.env["REHEARSAL_FEED_URL"])
        shutil.rmtree(self.stick / "update")
        outcome = self.airlock("--json", "--profile", "other", "check", self.stick)
        self.assertEqual([item["cloud"] for item in outcome.answer["items"]], [None], str(outcome))
        [item] = self.airlock("--json", "--profile", "other", "list", self.stick).answer["items"]
        self.assertIsNone(item["cloud"])

    def test_what_ends_before_a_date(self):
        end = self.items("check")[0]["valid_until"]
        for late in (end, end[:10]):
            outcome = self.airlock("--json", "check", self.stick, "--needed-until", late)
            self.assertEqual(outcome.code, 3, str(outcome))
            self.assertEqual([item["ends_too_soon"] for item in outcome.answer["items"]], [True, True])
            self.assertEqual([item["ends_too_soon"] for item in self.items("list", "--needed-until", late)], [True, True])
            self.assertEqual(self.airlock("check", self.stick, "--needed-until", late).stdout.count("too soon"), 2)
        self.assertEqual([item["ends_too_soon"] for item in self.items("check", "--needed-until", "2026-01-01")],
                         [False, False])
        row = {row["name"]: row for row in self.ok("list", "--needed-until", "2099-01-01")["lockboxes"]}["brief"]
        self.assertTrue(row["ends_too_soon"])
        self.assertIn("fetched, ends too soon", self.airlock("list", "--needed-until", "2099-01-01").stdout)


if __name__ == "__main__":
    scenario.main()
