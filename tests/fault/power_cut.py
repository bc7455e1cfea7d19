#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""power_cut.py [CUTS]: the power is cut while a bundle is written to a vfat stick.

After each cut and a repair by fsck.vfat, the older bundle on the stick verifies, the new one has its name only if it
verifies, and the same command finishes it.
"""

import os
import shutil
import sys
import tempfile
import time
import unittest
from pathlib import Path

import machine
from machine import Machine

TOOL = os.environ["BUNDLE_TOOL"]
CUTS = 3
OLD, NEW = "pump-v1-0a1b2c.lockbox", "pump-v2-3d4e5f.lockbox"


def make_source(folder, size):
    (folder / "metadata").mkdir(parents=True)
    (folder / "images").mkdir()
    (folder / "metadata" / "1.root.json").write_bytes(b"{}\n")
    (folder / "images" / "application").write_bytes(os.urandom(size))
    return folder


class PowerCut(unittest.TestCase):
    def setUp(self):
        self.assertEqual(machine.missing(), [], "this machine lacks programs; ./bootstrap install test brings them")
        self.folder = Path(tempfile.mkdtemp(prefix="airlock-fault-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.folder.chmod(0o755)
        self.image = self.folder / "stick.img"
        self.old = make_source(self.folder / "old", 4 << 20)
        self.new = make_source(self.folder / "new", 20 << 20)
        machine.make_stick(self.image)
        self.runs(self.writing(self.old, OLD))
        self.before = self.folder / "before.img"
        shutil.copy(self.image, self.before)

    def writing(self, source, name):
        return f"{TOOL} write {source} /mnt/stick {name} single"

    def runs(self, command):
        with Machine(self.image, command) as m:
            self.assertEqual(m.exit_code(), 0, m.said())

    def seconds_to_write(self):
        with Machine(self.image, f"echo WRITING; {self.writing(self.new, NEW)} && echo WRITTEN") as m:
            m.wait_for("WRITING")
            start = time.monotonic()
            m.wait_for("WRITTEN")
            taken = time.monotonic() - start
            self.assertEqual(m.exit_code(), 0, m.said())
        return taken

    def cut(self, after_s):
        """Whether the command was still at work."""
        with Machine(self.image, f"echo WRITING; {self.writing(self.new, NEW)} && echo WRITTEN") as m:
            m.wait_for("WRITING")
            time.sleep(after_s)
            m.cut_power()
            return "WRITTEN" not in m.said() and "ENDED" not in m.said()

    def assert_nothing_is_lost(self):
        code, report = machine.repair(self.image)
        self.assertEqual(code, 0, report)
        self.runs(f"{TOOL} check /mnt/stick {OLD} && "
                  f"if [ -e /mnt/stick/{NEW} ]; then {TOOL} check /mnt/stick {NEW}; fi && "
                  f"{self.writing(self.new, NEW)} && {TOOL} check /mnt/stick {NEW} && "
                  f"{TOOL} extract /mnt/stick {NEW} /mnt/out && "
                  f"cmp /mnt/out/images/application {self.new}/images/application && "
                  f"{TOOL} check /mnt/stick {OLD}")

    def test_the_same_command_goes_on_after_each_cut(self):
        taken = self.seconds_to_write()
        interrupted = 0
        for n in range(CUTS):
            with self.subTest(cut=n):
                shutil.copy(self.before, self.image)
                interrupted += self.cut(taken * (n + 0.5) / CUTS)
                self.assert_nothing_is_lost()
        print(f"{interrupted} of {CUTS} cuts met the command at work; writing takes {taken:.2f} s")
        self.assertGreaterEqual(interrupted, CUTS // 2, "too few cuts met the command at work")

    def test_what_was_said_to_be_written_is_on_the_stick(self):
        with Machine(self.image, f"{self.writing(self.new, NEW)} && echo WRITTEN && sleep 60") as m:
            m.wait_for("WRITTEN")
            m.cut_power()
        code, report = machine.repair(self.image)
        self.assertEqual(code, 0, report)
        self.runs(f"{TOOL} check /mnt/stick {NEW} && {TOOL} check /mnt/stick {OLD}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        CUTS = int(sys.argv.pop(1))
    unittest.main()
