#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The command line itself: what is understood, what is refused, and what help says."""

import re
import subprocess

import scenario
from scenario import Scenario, names

COMMANDS = ("login", "list", "fetch", "write", "prepare", "verify", "inspect", "diff", "check", "apply", "repack", "remove", "sign", "key", "trust",
            "sticks", "eject", "reports", "sync")


class Usage(Scenario):
    cloud_options = None

    def refuses_usage(self, *words, error="usage", says=()):
        self.refuses(2, error, *words, says=says)
        self.assert_stick_is_empty()

    def test_what_there_is_not_is_named(self):
        self.refuses_usage("frobnicate", says="frobnicate")
        self.refuses_usage("list", "--frobnicate", says="--frobnicate")
        self.refuses_usage("--frobnicate=x", "list", says="--frobnicate")
        self.refuses_usage("list", "-x", says="-x")
        self.refuses_usage("list", "--q", says="--q")
        self.refuses_usage("list", "-json", says="-json")

    def test_a_wrong_command_line_is_answered_in_json_wherever_json_is_asked_for(self):
        for words in (["frobnicate", "--json"], ["list", "--frobnicate", "--json"], ["--json"]):
            outcome = self.airlock(*words)
            self.assertEqual((outcome.code, outcome.error), (2, "usage"), str(outcome))
        self.assertEqual(self.airlock("frobnicate", "--", "--json").stdout, "")

    def test_no_command_is_an_error_that_points_to_help(self):
        outcome = self.refuses(2, "usage")
        self.assertIn("hint: airlock --help", outcome.stderr)

    def test_too_few_and_too_many_words_show_the_usage_line(self):
        for words in (["fetch"], ["write", "pump-7"], ["prepare", "pump-7"], ["verify"],
                      ["inspect"], ["apply", "--to", self.stick], ["verify", "a", "b"], ["list", "a", "b"],
                      ["login", "a", "--credentials", "b"]):
            with self.subTest(words=words):
                outcome = self.refuses(2, "usage", *words, says="words")
                self.assertIn(f"usage: airlock {words[0]}", outcome.stderr)

    def test_the_first_word_too_many_is_named(self):
        self.refuses_usage("verify", "two", "words", says="'words'")
        self.refuses_usage("login", "credentials.zip", says="'credentials.zip'")

    def test_options_need_their_values_once(self):
        self.refuses_usage("write", "pump-7", self.stick, "--as", says="--as needs a value")
        self.refuses_usage("write", "pump-7", self.stick, "--as", "plain", "--as", "bundle",
                           says="--as is given twice")
        self.refuses_usage("write", "pump-7", self.stick, "--single=yes", says="takes no value")
        self.refuses_usage("apply", "x.lockbox", says="--to")
        self.refuses_usage("login", says="--credentials")

    def test_options_that_contradict_each_other_are_refused(self):
        for words in (["--as", "plain", "--volume-size", "1M"], ["--single", "--volume-size", "1M"],
                      ["--as", "plain", "--single"]):
            self.refuses_usage("write", "pump-7", self.stick, *words, says=words[-2] if "M" in words[-1] else words[-1])

    def test_values_that_make_no_sense_are_refused(self):
        for form in ("tar", "", "Plain"):
            self.refuses_usage("write", "pump-7", self.stick, f"--as={form}", says=f"--as '{form}'")
        for size in ("0", "-1", "1.5G", "64X", "", "M", "99999999999999999999T", "64Mx"):
            self.refuses_usage("write", "pump-7", self.stick, f"--memory={size}", says=f"'{size}'")
        for time in ("tomorrow", "2026-13-01T00:00:00Z", "2026-11-22T08:00:00", ""):
            self.refuses_usage("--at", time, "list", error="bad-time", says=f"'{time}'")
        self.refuses_usage("--progress", "loud", "list", says="loud")

    def test_combinations_that_make_no_sense_are_refused(self):
        self.refuses_usage("write", "a", "b", self.stick, "--as", "plain", says="one name")
        self.refuses_usage("write", "a", self.stick, "--as", "plain", "--single", says="--single")
        self.refuses_usage("write", "a", self.stick, "--as", "plain", "--memory", "8M", says="--memory")

    def test_paths_that_are_not_there_are_named(self):
        for command in ("verify", "inspect"):
            self.refuses_usage(command, self.home / "none", error="no-such-path", says="none")
            self.refuses_usage(command, self.stick, error="not-a-lockbox", says="stick")
        self.refuses_usage("apply", self.home / "none.lockbox", "--to", self.home / "x",
                           error="no-such-path", says="none.lockbox")
        self.refuses_usage("verify", self.stick, "--trust", self.home / "none", error="no-such-path",
                           says="none")

    def test_a_lockbox_that_was_not_fetched_is_named_with_the_way_out(self):
        outcome = self.refuses(2, "not-fetched", "write", "pump-7", self.stick, says="'pump-7'")
        self.assertIn("hint: fetch it first: airlock fetch pump-7", outcome.stderr)

    def test_a_message_names_its_subject_once(self):
        (self.home / "broken.lockbox").write_text("this is no bundle")
        (self.home / "folder.lockbox").mkdir()
        (self.home / "file").write_text("")
        for words in (["write", "pump-7", self.stick], ["write", "none.lockbox", self.stick],
                      ["write", "broken.lockbox", self.stick], ["write", "folder.lockbox", self.stick],
                      ["write", "pump-7", "none"], ["write", "pump-7", "file"], ["write", "pump-7", "none/x.lockbox"],
                      ["apply", "none.lockbox", "--to", "x"], ["apply", "broken.lockbox", "--to", "x"],
                      ["verify", "none"], ["inspect", "none"], ["verify", "file/none"],
                      ["verify", self.stick, "--trust", "none"], ["verify", self.stick, "--trust", "file"],
                      ["login", "--credentials", "none"], ["login", "--credentials", "file"],
                      ["--profile", "none", "list"], ["--at", "none", "list"], ["--store", "file", "list"]):
            with self.subTest(words=words):
                outcome = self.airlock("--json", *words)
                message = outcome.answer["error"]["message"]
                subjects = [subject.rpartition("/")[2] for subject in re.findall("'([^']+)'", message)]
                self.assertEqual(len(subjects), len(set(subjects)), message)
                self.assertNotEqual(subjects, [], message)

    def test_options_may_stand_anywhere_and_words_follow_two_dashes(self):
        for words in (["--json", "verify", "none"], ["verify", "none", "--json"],
                      ["verify", "--json", "--", "none"], ["--profile=p", "--json", "verify", "none"],
                      ["--profile", "p", "verify", "none", "--json"]):
            outcome = self.airlock(*words)
            self.assertEqual((outcome.code, outcome.error), (2, "no-such-path"), str(outcome))
        self.assertEqual(self.airlock("verify", "--json", "--", "--none").error, "no-such-path")

    def test_help_of_the_program_names_every_command(self):
        outcome = self.airlock("--help")
        self.assertEqual((outcome.code, outcome.stderr), (0, ""))
        listed = re.findall(r"^  ([a-z]+) +\S", outcome.stdout.split("options of every")[0], re.MULTILINE)
        self.assertEqual(tuple(listed), COMMANDS)
        for word in ("--json", "--at TIME", "exit codes"):
            self.assertIn(word, outcome.stdout)

    def test_help_of_each_command_shows_its_usage_and_fits_a_terminal(self):
        for command in COMMANDS:
            for words in ([command, "--help"], ["--help", command]):
                outcome = self.airlock(*words)
                self.assertEqual((outcome.code, outcome.stderr), (0, ""), str(outcome))
                self.assertIn(f"usage: airlock {command}", outcome.stdout)
                self.assertLessEqual(max(map(len, outcome.stdout.splitlines())), 110)
        self.assertEqual(names(self.home), [], "help left files")

    def test_the_version_is_printed(self):
        outcome = self.airlock("--version")
        self.assertEqual(outcome.code, 0)
        self.assertRegex(outcome.stdout, r"^airlock \d+\.\d+\.\d+\n$")

    def test_escapes_in_words_reach_no_terminal(self):
        evil = "x\x1b]0;owned\x07\x9b31m\rz"
        for words in ([evil], ["fetch", evil], ["verify", evil], ["write", evil, self.stick],
                      ["write", "x", evil], ["apply", evil, "--to", evil], [f"--{evil}"], ["list", "--at", evil],
                      ["--profile", evil, "list"], ["login", "--credentials", evil]):
            with self.subTest(words=words):
                outcome = self.airlock(*words)  # asserts that no control character is printed
                self.assertIn(outcome.code, (1, 2, 3), str(outcome))
                self.assertNotEqual(outcome.stderr, "")

    def test_an_answer_that_cannot_be_printed_is_no_success(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([scenario.AIRLOCK, "--help"], stdout=full, stderr=subprocess.PIPE,
                                  env=self.env, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot write the answer", done.stderr)


if __name__ == "__main__":
    scenario.main()
