#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Until when a lockbox is good: which role ends first, who renews it, and what is refused for it, to the second."""

from datetime import datetime, timedelta, timezone

import scenario
from scenario import Scenario

END = datetime.now(timezone.utc).replace(hour=12, minute=30, second=15, microsecond=0) + timedelta(days=100)
ROLE = "director/brief.json"


def rfc3339(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def before(**span):
    return rfc3339(END - timedelta(**span))


class Expiry(Scenario):
    """The lockbox `brief` ends at END, long before every other role."""

    def setUp(self):
        super().setUp()
        self.login()
        self.cloud.tell("lockbox", "define", "brief", "pump-controller-2.4.1", "--expires", rfc3339(END))

    def assert_names_the_end(self, answer, renewal="define the lockbox again in the cloud"):
        self.assertEqual((answer["valid_until"], answer["valid_until_role"]), (rfc3339(END), ROLE))
        self.assertIn(renewal, answer["valid_until_renewal"])

    def test_every_answer_names_the_end_its_role_and_who_renews_it(self):
        self.assert_names_the_end(self.ok("fetch", "brief")["fetched"][0])
        written = self.ok("write", "brief", self.stick)["written"][0]
        self.assert_names_the_end(written)
        self.assert_names_the_end(self.ok("prepare", "brief", self.stick, "--as", "plain")["written"][0])
        self.assert_names_the_end(self.ok("apply", written["path"], "--to", self.home / "device"))
        self.assert_names_the_end(self.ok("verify", written["path"]))
        self.assert_names_the_end(self.ok("inspect", self.stick / "update")["items"][0])
        for words in (["fetch", "brief"], ["write", "brief", self.stick], ["verify", self.stick / "update"],
                      ["inspect", written["path"]], ["apply", written["path"], "--to", self.home / "device"]):
            outcome = self.airlock(*words)
            self.assertRegex(outcome.stdout, rf"valid until +{rfc3339(END)} \({ROLE}; (99|100) days left\)",
                             str(outcome))
            self.assertRegex(outcome.stdout, "to renew +define the lockbox again in the cloud", str(outcome))

    def test_each_role_has_somebody_else_who_renews_it(self):
        for role, path, renewal in (
                ("director/offline-snapshot", "director/offline-snapshot.json", "fetch the lockbox again"),
                ("repo/snapshot", "image-repo/snapshot.json", "the image repository must be renewed in the cloud"),
                ("repo/targets", "image-repo/targets.json", "the image repository must be renewed in the cloud")):
            self.cloud.tell("tamper", "clear")
            self.cloud.tell("tamper", "add", role, "expired", "days=-7")
            self.forget_what_was_served()
            fetched = self.ok("fetch", "brief")["fetched"][0]
            self.assertEqual(fetched["valid_until_role"], path)
            self.assertIn(renewal, fetched["valid_until_renewal"])

    def warned(self, words, at):
        outcome = self.airlock("-q", "--at", at, *words)
        self.assertEqual(outcome.code, 0, str(outcome))
        warning = f"airlock: warning: lockbox 'brief': {ROLE} ends in "
        self.assertIn(outcome.stderr.count(warning), (0, 1), str(outcome))
        self.assertEqual("hint: define the lockbox again" in outcome.stderr, warning in outcome.stderr, str(outcome))
        return outcome.stderr.partition(warning)[2].partition(",")[0]

    def test_less_than_thirty_days_are_warned_of(self):
        self.ok("prepare", "brief", self.stick)
        commands = (["fetch", "brief"], ["write", "brief", self.stick], ["prepare", "brief", self.stick],
                    ["write", "brief", self.stick, "--as", "plain"],
                    ["write", self.bundle(), self.stick, "--as", "plain"],
                    ["apply", self.bundle(), "--to", self.home / "device"])
        for words in commands:
            with self.subTest(words=words):
                self.assertEqual(self.warned(words, before(days=30)), "")
                self.assertEqual(self.warned(words, before(days=30, seconds=-1)), "29 days")
        self.assertEqual(self.warned(commands[0], before(days=1)), "1 day")
        self.assertEqual(self.warned(commands[0], before(seconds=1)), "less than a day")

    def remarks(self, *words):
        answer = self.ok(*words)
        return answer.get("items", [answer])[0]["problems"]

    def test_inspect_says_what_a_device_would_do_without_reading_the_packages(self):
        bundle = self.ok("prepare", "pump-7", self.stick)["written"][0]["path"]
        payload = self.stick / "airlock" / (bundle.rsplit("/", 1)[1] + ".001")
        data = bytearray(payload.read_bytes())
        data[-1] ^= 1
        payload.write_bytes(data)
        [item] = self.ok("inspect", bundle)["items"]
        self.assertEqual((item["valid"], item["verdict"], item["problems"]), (True, "install", []))
        self.assertTrue(any("not read" in line for line in item["assumed"]), item["assumed"])
        [item] = self.ok("inspect", bundle, "--at", "2040-01-01T00:00:00Z")["items"]
        self.assertEqual((item["valid"], item["verdict"]), (False, "refuse"))
        [item] = self.ok("inspect", bundle, "--hwid", "another-machine")["items"]
        self.assertEqual(item["verdict"], "nothing")

    def test_verify_and_inspect_remark_on_it_and_still_succeed(self):
        self.ok("prepare", "brief", self.stick)
        for command in ("verify", "inspect"):
            self.assertEqual(self.remarks("--at", before(days=30), command, self.bundle()), [])
            [remark] = self.remarks("--at", before(days=29), command, self.bundle())
            self.assertEqual((remark["id"], remark["role"], remark["device_refuses"]), ("expires-soon", ROLE, False))
            self.assertEqual(remark["message"], f"{ROLE} ends in 29 days, at {rfc3339(END)}")
            self.assertIn("define the lockbox again", remark["hint"])
        self.assertTrue(self.ok("--at", before(days=29), "verify", self.bundle())["valid"])

    def test_needed_until_counts_the_second_at_which_it_ends(self):
        self.ok("prepare", "brief", self.stick)
        bundle, device = self.bundle(), self.home / "device"
        commands = (["write", "brief", device], ["write", bundle, device], ["prepare", "brief", device],
                    ["write", "brief", device, "--as", "plain"], ["apply", bundle, "--to", device / "update"])
        device.mkdir()
        for late in (rfc3339(END), END.date().isoformat()):
            for words in commands:
                outcome = self.refuses(3, "expires-too-soon", *words, "--needed-until", late, says=[ROLE, rfc3339(END)])
                self.assertIn("hint: define the lockbox again", outcome.stderr)
                self.assertEqual(list(device.iterdir()), [], "something was written before the refusal")
            outcome = self.airlock("--json", "verify", bundle, "--needed-until", late)
            self.assertEqual(outcome.code, 3)
            self.assertEqual([problem["id"] for problem in outcome.answer["problems"]], ["expires-too-soon"])
        for early in (before(seconds=1), (END.date() - timedelta(days=1)).isoformat()):
            for words in commands:
                self.ok(*words, "--needed-until", early)
            self.ok("verify", bundle, "--needed-until", early)

    def test_the_last_second_is_that_before_the_end(self):
        self.ok("prepare", "brief", self.stick)
        self.ok("--at", before(seconds=1), "verify", self.bundle())
        outcome = self.airlock("--json", "--at", rfc3339(END), "verify", self.bundle())
        self.assertEqual((outcome.code, outcome.answer["valid"]), (3, False))
        self.assertIn("; that is past)", self.airlock("--at", rfc3339(END), "verify", self.bundle()).stdout)
        for words in (["write", "brief", self.stick], ["apply", self.bundle(), "--to", self.home / "device"]):
            self.refuses(3, "expired-role", "--at", rfc3339(END), *words, says=ROLE)


if __name__ == "__main__":
    scenario.main()
