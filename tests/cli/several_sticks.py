#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A bundle whose volumes are on several sticks: they are found in other folders, or asked for in turn."""

import scenario
from prompt import Terminal
from scenario import Scenario, tree

ASKED = b"Insert the stick with volume '%s' and press Enter, or name the folder that it is in: "


class SeveralSticks(Scenario):
    def setUp(self):
        super().setUp()
        self.login()
        self.ok("prepare", "pump-7", self.home / "whole.lockbox", "--volume-size", "600K")
        self.volumes = sorted(self.home.glob("whole.lockbox.0*"))
        self.assertGreaterEqual(len(self.volumes), 3)
        self.ok("apply", self.home / "whole.lockbox", "--to", self.home / "expected")
        self.expected = tree(self.home / "expected")
        self.sticks = []
        for number, volume in enumerate(self.volumes):
            folder = self.home / f"stick-{number + 1}" / "airlock"
            folder.mkdir(parents=True)
            volume.rename(folder / volume.name)
            self.sticks.append(folder.parent)
        self.head = self.sticks[0] / "airlock/whole.lockbox"
        (self.home / "whole.lockbox").rename(self.head)

    def others(self):
        return [word for stick in self.sticks[1:] for word in ("--volumes-in", stick)]

    def test_volumes_are_found_in_the_folders_given(self):
        answer = self.ok("verify", self.head, *self.others())
        self.assertEqual((answer["valid"], answer["problems"]), (True, []))
        self.ok("apply", self.head, "--to", self.home / "update", *self.others())
        self.assertEqual(tree(self.home / "update"), self.expected)
        self.ok("write", self.head, self.home / "copy.lockbox", *self.others())
        self.ok("verify", self.home / "copy.lockbox")

    def test_nobody_to_ask_and_nowhere_to_look_is_an_error_that_names_the_volume(self):
        for words in (["apply", self.head, "--to", self.home / "update"],
                      ["write", self.head, self.home / "copy.lockbox"]):
            outcome = self.refuses(3, "volume-missing", *words, says="whole.lockbox.002")
            self.assertIn("--volumes-in", outcome.stderr)
        self.assertFalse((self.home / "update").exists())
        outcome = self.airlock("--json", "verify", self.head)
        self.assertEqual(outcome.code, 3)
        self.assertEqual([problem["id"] for problem in outcome.answer["problems"]], ["volume-missing"])

    def test_the_wrong_file_of_that_name_is_passed_over(self):
        wrong = self.home / "wrong"
        wrong.mkdir()
        (wrong / "whole.lockbox.002").write_bytes((self.sticks[0] / "airlock/whole.lockbox.001").read_bytes())
        short = self.home / "short"
        short.mkdir()
        (short / "whole.lockbox.003").write_bytes(b"short")
        self.ok("apply", self.head, "--to", self.home / "update", "--volumes-in", wrong, "--volumes-in", short,
                *self.others())
        self.assertEqual(tree(self.home / "update"), self.expected)

    def test_a_person_is_asked_in_turn_and_again_when_it_was_another_one(self):
        terminal = Terminal(self, "-q", "apply", self.head, "--to", self.home / "update")
        second = ASKED % b"whole.lockbox.002"
        terminal.wait_for(second)
        terminal.type(b"no-such-folder\n")
        terminal.wait_for(second)
        (self.home / "wrong").mkdir()
        (self.home / "wrong/whole.lockbox.002").write_bytes(b"something else" * 100)
        terminal.type(b"wrong\n")
        terminal.wait_for(b"volume 'whole.lockbox.002': ")
        for number, stick in list(enumerate(self.sticks, 1))[1:]:
            terminal.wait_for(ASKED % f"whole.lockbox.{number:03}".encode())
            terminal.type(str(stick).encode() + b"\n")
        code, _, stderr = terminal.finish()
        self.assertEqual(code, 0, stderr)
        self.assertEqual(tree(self.home / "update"), self.expected)

    def test_whoever_has_no_more_sticks_gives_up_by_ctrl_c(self):
        terminal = Terminal(self, "-q", "apply", self.head, "--to", self.home / "update")
        terminal.wait_for(ASKED % b"whole.lockbox.002")
        terminal.type(b"\x03")
        code, _, _ = terminal.finish()
        self.assertNotEqual(code, 0)
        self.assertFalse((self.home / "update").exists())


if __name__ == "__main__":
    scenario.main()
