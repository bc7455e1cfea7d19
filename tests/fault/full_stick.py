#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A vfat stick that is full: the older bundle stays, the new one gets no name, and with room the same command goes on."""

import shutil
import tempfile
import unittest
from pathlib import Path

import machine
from machine import Machine
from power_cut import NEW, OLD, TOOL, make_source


class FullStick(unittest.TestCase):
    def test_a_full_stick_keeps_the_old_and_takes_the_new_once_there_is_room(self):
        self.assertEqual(machine.missing(), [], "this machine lacks programs; ./bootstrap install test brings them")
        folder = Path(tempfile.mkdtemp(prefix="airlock-fault-"))
        self.addCleanup(shutil.rmtree, folder)
        folder.chmod(0o755)
        image = folder / "stick.img"
        old = make_source(folder / "old", 4 << 20)
        new = make_source(folder / "new", 20 << 20)
        machine.make_stick(image)
        write_new = f"{TOOL} write {new} /mnt/stick {NEW} single"
        with Machine(image, f"set -e; {TOOL} write {old} /mnt/stick {OLD} single; "
                            "head -c 45M /dev/zero >/mnt/stick/photos; "
                            f"if {write_new}; then exit 9; fi; test ! -e /mnt/stick/{NEW}; "
                            f"{TOOL} check /mnt/stick {OLD}; rm /mnt/stick/photos; "
                            f"{write_new}; {TOOL} check /mnt/stick {NEW}; {TOOL} check /mnt/stick {OLD}") as m:
            self.assertEqual(m.exit_code(), 0, m.said())
            self.assertIn("No space left on device", m.said())
        code, report = machine.repair(image)
        self.assertEqual(code, 0, report)


if __name__ == "__main__":
    unittest.main()
