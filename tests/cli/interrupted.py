#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Killed at any moment, or running twice: the same command goes on and ends with the right result."""

import contextlib
import shutil
import signal
import time

import scenario
from scenario import Scenario, files_beneath, names, tree

STORE = "^GET store/"


class InterruptedFetch(Scenario):
    def setUp(self):
        super().setUp()
        self.login()
        self.cloud.clear_log()

    def arrived(self):
        return sum(path.stat().st_size for path in files_beneath(self.cache / "partial"))

    def kill_when(self, condition, *words, by=signal.SIGKILL):
        process = self.start(*words)
        self.wait_until(lambda: condition() or process.poll() is not None, "something to interrupt")
        self.assertIsNone(process.poll(), "it ended before it was interrupted")
        process.send_signal(by)
        return self.finish(process)

    def test_a_killed_fetch_goes_on_where_it_stopped(self):
        self.fault(STORE, "slow", "rate=2000000")
        for bytes_before in (1, 2_000_000, 4_000_000):
            self.kill_when(lambda: self.arrived() >= bytes_before, "fetch", "pump-7")
            self.assert_nothing_kept("pump-7")
            self.assert_store_is_sound()
        held = self.arrived()
        self.forget_what_went_wrong()
        self.cloud.clear_log()
        self.ok("fetch", "pump-7")
        self.assert_kept("pump-7")
        self.assertEqual(names(self.cache / "partial"), [])
        asked = self.cloud.targets_asked_for()
        self.assertIn(f"bytes={held}-", [entry["range"] for entry in asked])
        self.assertLess(sum(entry["bytes"] for entry in asked), (8 << 20) + (640 << 10))

    def test_what_an_earlier_run_left_is_not_trusted(self):
        self.fault(STORE, "slow", "rate=2000000")
        self.kill_when(lambda: self.arrived() > 1_000_000, "fetch", "pump-7")
        self.forget_what_went_wrong()
        [partial] = [p for p in files_beneath(self.cache / "partial") if p.stat().st_size > 500_000]
        with partial.open("r+b") as file:
            file.write(b"not what was signed")
        self.ok("fetch", "pump-7")
        self.assert_kept("pump-7")

    def test_a_fetch_killed_before_the_first_byte_leaves_no_record(self):
        self.fault("^GET gateway/.*snapshot.json", "delay", "seconds=2")
        self.kill_when(lambda: self.cloud.log(), "fetch", "pump-7")
        self.assertEqual(names(self.cache), [])

    def test_an_interrupt_at_the_keyboard_ends_with_130(self):
        self.fault(STORE, "slow", "rate=1000000")
        outcome = self.kill_when(lambda: self.arrived() > 0, "fetch", "pump-7", by=signal.SIGINT)
        # A shell says 130 for both: exit code 130, and death by SIGINT.
        self.assertIn(outcome.code, (130, -signal.SIGINT), str(outcome))
        self.forget_what_went_wrong()
        self.ok("fetch", "pump-7")

    def test_whoever_ignores_interrupts_is_not_ended_by_one(self):
        self.fault(STORE, "slow", "rate=4000000")
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # what nohup hands on
        try:
            outcome = self.kill_when(lambda: self.arrived() > 0, "fetch", "pump-7", by=signal.SIGINT)
        finally:
            signal.signal(signal.SIGINT, before)
        self.assertEqual(outcome.code, 0, str(outcome))
        self.assert_kept("pump-7")

    def test_two_fetches_at_once_transfer_each_package_once(self):
        self.fault(STORE, "slow", "rate=6000000")
        both = [self.start("--json", "fetch", "pump-7") for _ in range(2)]
        for process in both:
            outcome = self.finish(process)
            self.assertEqual(outcome.code, 0, str(outcome))
        self.assert_kept("pump-7")
        self.assertEqual(names(self.cache / "partial"), [])
        self.assertEqual(len(self.cloud.targets_asked_for()), 3)

    def test_when_the_first_of_two_is_killed_the_second_takes_over(self):
        self.fault(STORE, "slow", "rate=2000000")
        first = self.start("fetch", "pump-7")
        self.wait_until(lambda: self.arrived() > 500_000, "the first to transfer")
        second = self.start("--json", "fetch", "pump-7")
        time.sleep(0.5)
        first.kill()
        self.finish(first)
        self.forget_what_went_wrong()
        outcome = self.finish(second)
        self.assertEqual(outcome.code, 0, str(outcome))
        self.assert_kept("pump-7")

    def test_a_damaged_object_is_noticed_and_the_next_fetch_mends_it(self):
        self.ok("fetch", "pump-7")
        largest = max(files_beneath(self.cache / "objects"), key=lambda path: path.stat().st_size)
        with largest.open("r+b") as file:
            file.write(b"bit rot")
        for form in ("plain", "bundle"):
            damaged = largest.read_bytes() if largest.exists() else b""
            self.refuses(3, "wrong-hash", "write", "pump-7", self.stick, "--as", form)
            self.assertEqual([n for n in names(self.stick) if n.endswith((".lockbox", ".json"))], [])
            if not largest.exists():
                largest.write_bytes(damaged)
        largest.unlink()
        self.ok("prepare", "pump-7", self.stick)
        self.ok("verify", self.stick)


class InterruptedWrite(Scenario):
    """A stick with an older version on it, and a writer that does not live to the end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cloud.tell("package", "add", "large", "1", "--hwid", "large-mcu", "--random", "24M")

    def setUp(self):
        super().setUp()
        self.login()
        self.cloud.tell("lockbox", "define", "line", "pump-controller-2.4.1")
        self.ok("prepare", "line", self.stick)
        self.ok("prepare", "line", self.stick, "--as", "plain")
        self.old = tree(self.stick)
        self.cloud.tell("lockbox", "define", "line", "large-1")
        self.addCleanup(self.cloud.tell, "lockbox", "delete", "line")
        self.ok("fetch", "line")

    def final(self):
        """What stands under final names: everything but temporary files and folders."""
        return {path: content for path, content in tree(self.stick).items()
                if not any(part.startswith(".") or part.endswith(".part") for part in path.split("/"))}

    def killed_at(self, delay_s, *words):
        process = self.start("write", "line", self.stick, *words)
        time.sleep(delay_s)
        process.kill()
        return self.finish(process)

    def assert_whole(self):
        """Every lockbox under a final name is good; a payload whose head never came is none."""
        for item in self.ok("verify", self.stick)["items"]:
            self.assertEqual((item["valid"], item["problems"]), (True, []))

    def length_of(self, *words):
        """Seconds that the write takes when it is left alone, on a stick of its own."""
        other = self.home / "other"
        other.mkdir()
        begun = time.monotonic()
        self.ok("write", "line", other, *words)
        shutil.rmtree(other)
        return time.monotonic() - begun

    def sizes_of_parts(self):
        """Of the payload's part, while somebody writes it: it may get its name at any moment."""
        sizes = []
        for part in (self.stick / "airlock").glob("*.lockbox.001.part"):
            with contextlib.suppress(FileNotFoundError):
                sizes.append(part.stat().st_size)
        return sizes

    def test_a_killed_bundle_is_whole_or_not_there(self):
        whole_s = self.length_of()
        for part in range(1, 10):
            with self.subTest(tenths=part):
                self.killed_at(whole_s * part / 10)
                for path, content in self.old.items():
                    self.assertEqual(tree(self.stick).get(path), content, f"'{path}' was harmed")
                self.assert_whole()
        self.ok("write", "line", self.stick)
        self.assert_whole()
        self.assertEqual(sorted(name for name in names(self.stick / "airlock") if "-v2-" in name),
                         sorted(name.replace("-v1-", "-v2-") for name in names(self.stick / "airlock")
                                if "-v1-" in name))
        self.assertEqual(set(self.final()), set(tree(self.stick)), "temporary files are left")

    def test_a_killed_write_goes_on_and_new_roles_are_a_new_head_alone(self):
        self.ok("write", "line", self.home / "alone.lockbox")
        held = 0
        for _ in range(3):
            process = self.start("write", "line", self.stick)
            sizes = []
            while process.poll() is None and (not sizes or sizes[-1] < held + (4 << 20)):
                sizes += self.sizes_of_parts()
            process.kill()
            self.finish(process)
            self.assertGreater(len(sizes), 1, "nothing was seen of the part")
            self.assertGreater(min(sizes), held - (1 << 20), "a later run began again")
            held = sizes[-1]
        [bundle] = [item for item in self.ok("write", "line", self.stick)["written"]]
        head = self.stick / "airlock" / bundle["path"].rsplit("/", 1)[1]
        volume = head.with_name(head.name + ".001")
        self.assertEqual(volume.read_bytes(), (self.home / "alone.lockbox.001").read_bytes())
        before = volume.stat(), head.read_bytes()
        for changed in (False, True):
            if changed:
                self.cloud.tell("rotate", "director")
                self.ok("fetch", "line")
            self.ok("write", "line", self.stick)
            self.assertEqual(volume.stat(), before[0])
            self.assertEqual(head.read_bytes() != before[1], changed)
        self.ok("verify", head)

    def test_a_killed_plain_export_is_the_old_one_or_the_new_one(self):
        self.ok("write", "line", self.home / "new.lockbox")
        self.ok("apply", self.home / "new.lockbox", "--to", self.home / "new")
        old = {path: c for path, c in self.old.items() if path.startswith("update/")}
        new = {f"update/{path}": content for path, content in tree(self.home / "new").items()}
        whole_s = self.length_of("--as", "plain")
        for part in range(1, 10):
            with self.subTest(tenths=part):
                self.killed_at(whole_s * part / 10, "--as", "plain")
                found = {path: c for path, c in self.final().items() if path.startswith("update/")}
                self.assertIn(found, (old, new))
        self.ok("write", "line", self.stick, "--as", "plain")
        self.assertEqual({path: c for path, c in tree(self.stick).items() if "update" in path}, new)

    def test_a_killed_apply_leaves_nothing_under_the_final_name(self):
        self.ok("write", "line", self.home / "new.lockbox")
        begun = time.monotonic()
        self.ok("apply", self.home / "new.lockbox", "--to", self.home / "first")
        whole_s = time.monotonic() - begun
        for part in range(1, 9):
            process = self.start("apply", self.home / "new.lockbox", "--to", self.home / "device")
            time.sleep(whole_s * part / 9)
            process.kill()
            self.finish(process)
            if (self.home / "device").exists():
                self.assertEqual(tree(self.home / "device"), tree(self.home / "first"))
                shutil.rmtree(self.home / "device")
        self.ok("apply", self.home / "new.lockbox", "--to", self.home / "device")
        self.assertEqual(tree(self.home / "device"), tree(self.home / "first"))
        self.assertFalse((self.home / ".device.part").exists())

    def test_two_writers_of_one_stick_do_not_harm_each_other(self):
        for words in ([], ["--as", "plain"]):
            with self.subTest(words=words):
                both = [self.start("--json", "write", "line", self.stick, *words) for _ in range(2)]
                done = [self.finish(process) for process in both]
                self.assertIn(0, [outcome.code for outcome in done], str(done[0]) + str(done[1]))
                for outcome in done:
                    self.assertIn(outcome.error, (None, "store-locked"), str(outcome))
                self.assert_whole()
        self.assertEqual(set(self.final()), set(tree(self.stick)), "temporary files are left")


if __name__ == "__main__":
    scenario.main()
