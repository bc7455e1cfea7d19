#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""write NAME STICK STICK…: several sticks get the same bytes at once, and one that fails stops none of the others."""

import json

import medium
import scenario
from scenario import names, tree


class AtOnce(medium.Mounting):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cloud.tell("package", "add", "large", "1", "--hwid", "large-mcu", "--random", "24M")

    def setUp(self):
        super().setUp()
        self.ok("fetch", "pump-7")
        self.sticks = [self.home / f"stick-{n}" for n in range(3)]
        for stick in self.sticks:
            stick.mkdir()

    def define_line(self):
        self.cloud.tell("lockbox", "define", "line", "large-1")
        self.addCleanup(self.cloud.tell, "lockbox", "delete", "line")
        self.ok("fetch", "line")

    def assert_all_alike(self, *sticks):
        first = tree(sticks[0])
        self.assertNotEqual(first, {})
        for stick in sticks[1:]:
            self.assertEqual(tree(stick), first)

    def some_fail(self, *words):
        outcome = self.airlock("--json", *words)
        self.assertEqual(outcome.code, 7, str(outcome))
        return outcome

    def test_each_stick_gets_the_same_bytes_and_its_own_answer(self):
        for words in ((), ("--single",), ("--volume-size", "600K"), ("--as", "plain"), ("--as", "squashfs")):
            with self.subTest(words=words):
                written = self.ok("write", "pump-7", *self.sticks, *words)["written"]
                self.assertEqual([item["path"].split("/stick-")[1][0] for item in written], ["0", "1", "2"])
                self.assertEqual(len({(item["stored_bytes"], item["raw_bytes"]) for item in written}), 1)
                self.assert_all_alike(*self.sticks)
                self.ok("write", "pump-7", self.stick, *words)
        for name, content in tree(self.stick).items():
            for stick in self.sticks:
                self.assertEqual((stick / name).read_bytes(), content, f"{name} differs from what one stick alone gets")
        for stick in self.sticks:
            self.ok("verify", stick)

    def test_a_bundle_that_somebody_else_fetched(self):
        bundle = self.home / "received.lockbox"
        self.ok("write", "pump-7", bundle)
        self.ok("write", "pump-7", self.stick, "--as", "plain")
        for words in ((), ("--as", "plain"), ("--as", "squashfs")):
            self.ok("write", bundle, *self.sticks, *words)
            self.assert_all_alike(*self.sticks)
        self.assertEqual(tree(self.sticks[1] / "update"), tree(self.stick / "update"))

    def test_several_lockboxes_on_several_sticks(self):
        self.define_line()
        written = self.ok("write", "pump-7", "line", *self.sticks)["written"]
        self.assertEqual([item["lockbox"] for item in written], ["pump-7"] * 3 + ["line"] * 3)
        self.assert_all_alike(*self.sticks)
        self.ok("prepare", "pump-7", "line", *self.sticks)
        self.assert_all_alike(*self.sticks)

    def test_a_stick_that_is_not_mounted_stops_none_of_the_others(self):
        a, b, _ = self.sticks
        missing = self.home / "not-mounted"
        self.ok("write", "pump-7", self.home / "received.lockbox")
        for words in (("write", "pump-7"), ("write", self.home / "received.lockbox"), ("prepare", "pump-7"),
                      ("write", "pump-7", "--as", "plain"), ("write", "pump-7", "--as", "squashfs")):
            for places in ((missing, a, b), (a, missing, b), (a, b, f"{missing}/")):
                outcome = self.some_fail(*words, *places)
                [failed] = outcome.answer["failed"]
                self.assertEqual((failed["to"], failed["id"]), (str(next(p for p in places if p not in (a, b))), "no-such-path"))
                self.assertEqual(len(outcome.answer["written"]), 2)
                self.assertEqual(self.said(outcome), 1, str(outcome))
            self.assert_all_alike(a, b)
        self.assertEqual(len(self.some_fail("write", "pump-7", a, missing, "--dry-run").answer["planned"]), 1)
        self.assertFalse(missing.exists())

    def test_where_all_fail_each_is_said_once(self):
        a, b, _ = self.sticks
        (self.home / "elsewhere").mkdir()
        for stick in (a, b):
            (stick / "airlock").symlink_to(self.home / "elsewhere")
        for code, places in ((2, (a, b)), (2, (self.home / "none", self.home / "nowhere")), (2, (a, self.home / "none"))):
            outcome = self.airlock("--json", "write", "pump-7", *places)
            self.assertEqual((outcome.code, self.said(outcome)), (code, 2), str(outcome))
            self.assertIn(str(places[-1]), outcome.answer["error"]["message"])
            for place in places:
                self.assertIn(f"{place}", outcome.stderr)

    def said(self, outcome):
        return sum(line.startswith("airlock: ") for line in outcome.stderr.splitlines())

    def test_people_read_a_block_for_each(self):
        outcome = self.airlock("write", "pump-7", *self.sticks)
        self.assertEqual(outcome.code, 0, str(outcome))
        for stick in self.sticks:
            self.assertIn(f"written to {stick}/airlock/", outcome.stdout)

    def test_the_plan_of_each_is_said_and_nothing_is_written(self):
        self.mount(self.sticks[1], "1M")
        outcome = self.some_fail("write", "pump-7", *self.sticks, "--as", "plain", "--dry-run")
        self.assertEqual([item["path"] for item in outcome.answer["planned"]],
                         [str(self.sticks[0] / "update"), str(self.sticks[2] / "update")])
        [failed] = outcome.answer["failed"]
        self.assertEqual((failed["lockbox"], failed["to"], failed["id"]), ("pump-7", str(self.sticks[1]), "no-space"))
        for stick in self.sticks:
            self.assertEqual(names(stick), [])

    def test_one_without_room_is_refused_before_the_first_byte_and_the_others_are_written(self):
        self.mount(self.sticks[1], "1M")
        outcome = self.some_fail("write", "pump-7", *self.sticks, "--as", "plain")
        self.assertIn(str(self.sticks[1]), outcome.stderr)
        self.assertEqual([item["to"] for item in outcome.answer["failed"]], [str(self.sticks[1])])
        self.assert_all_alike(self.sticks[0], self.sticks[2])
        self.assertEqual(names(self.sticks[1]), [])

    def test_one_that_becomes_full_drops_out_and_the_same_command_finishes_it(self):
        self.mount(self.sticks[0], "1M")  # the bundle has more; how much more is not known beforehand
        outcome = self.some_fail("write", "pump-7", *self.sticks)
        [failed] = outcome.answer["failed"]
        self.assertEqual((failed["to"], failed["id"]), (str(self.sticks[0]), "no-space"))
        self.assertIn("may take up to", outcome.stderr)
        self.assert_all_alike(*self.sticks[1:])
        self.remount(self.sticks[0], "size=64M")
        self.ok("write", "pump-7", *self.sticks)
        self.assert_all_alike(*self.sticks)

    def test_where_all_fail_the_exit_code_is_that_of_the_error(self):
        for stick in self.sticks:
            self.mount(stick, "1M")
        self.refuses(6, "no-space", "write", "pump-7", *self.sticks, "--as", "plain")

    def test_the_progress_is_one_and_knows_its_rate(self):
        self.define_line()
        outcome = self.airlock("--progress", "json", "write", "line", *self.sticks)
        self.assertEqual(outcome.code, 0, str(outcome))
        events = [json.loads(line) for line in outcome.stderr.splitlines() if line.startswith("{")]
        writing = [event for event in events if event["phase"] == "write"]
        self.assertEqual([writing[0]["event"], writing[-1]["event"]], ["begin", "end"])
        self.assertEqual(writing[-1]["done"], writing[-1]["total"])
        self.assertLess(writing[-1]["total"], 26 << 20, "what each stick gets, not all of them together")
        self.assertEqual([event["done"] for event in writing], sorted(event["done"] for event in writing))
        self.assertIsNone(writing[0]["bytes_per_second"])
        for event in writing:
            if event["seconds_left"] is not None:
                self.assertGreaterEqual(event["seconds_left"], 0)

    def test_wrong_words(self):
        a, b, _ = self.sticks
        self.refuses(2, "usage", "write", "pump-7", a, b, "--share", says="one at a time")
        self.refuses(2, "usage", "write", "pump-7", a, f"{a}/", says="same place")
        self.refuses(2, "usage", "write", "pump-7", a, "stick-1", "stick-2", says="lockboxes come first")
        self.refuses(2, "usage", "write", a, b, says="lockboxes come first")
        self.refuses(2, "usage", "write", "pump-7", "valve-9", a, b, "--as", "plain")
        for stick in self.sticks:
            self.assertEqual(names(stick), [])


if __name__ == "__main__":
    medium.enter_namespace()
    scenario.main()
