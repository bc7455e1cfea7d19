#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A vfat stick with places that fail: what was there stays, nothing half gets a name, and elsewhere all goes on.

dm-flakey lets every write to the second half of the stick fail, dm-dust every read of some blocks.
"""

import shutil
import tempfile
import unittest
from pathlib import Path

import machine
from machine import Machine
from power_cut import NEW, OLD, TOOL, make_source

MEDIUM = 6  # exit code

PREPARE = """
size=$(blockdev --getsz /dev/ubda)
half=$((size / 2))
create() { dmsetup create --noudevsync --noudevrules stick >/dev/null; mount -t vfat /dev/dm-0 /mnt/stick; }
remove() { umount /mnt/stick || umount -l /mnt/stick; dmsetup remove --noudevsync stick; }
fails() { code=0; "$@" || code=$?; echo "exit code $code"; test $code = 6; }
"""


class IoErrors(unittest.TestCase):
    def setUp(self):
        self.assertEqual(machine.missing("dmsetup", "blockdev"), [],
                         "this machine lacks programs; ./bootstrap install test brings them")
        self.folder = Path(tempfile.mkdtemp(prefix="airlock-fault-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.folder.chmod(0o755)
        self.image = self.folder / "stick.img"
        self.old = make_source(self.folder / "old", 4 << 20)
        self.new = make_source(self.folder / "new", 40 << 20)  # reaches into the second half of 64 MiB
        machine.make_stick(self.image)

    def runs(self, command):
        with Machine(self.image, f"set -e; {PREPARE} {command}", mounted=False) as m:
            self.assertEqual(m.exit_code(), 0, m.said())
            return m.said()

    def assert_writing_fails_and_goes_on(self, first, new, old_is_whole, new_is_whole, new_is_absent):
        said = self.runs(f"""
            echo "0 $size linear /dev/ubda 0" | create; {first}; {old_is_whole}; remove
            printf '0 %d linear /dev/ubda 0\\n%d %d flakey /dev/ubda %d 0 3600 1 error_writes\\n' \\
                $half $half $((size - half)) $half | create
            fails {new}; {new_is_absent}; {old_is_whole}; remove""")
        self.assertIn("medium-io", said)
        code, report = machine.repair(self.image)
        self.assertEqual(code, 0, report)
        self.runs(f"""
            echo "0 $size linear /dev/ubda 0" | create
            {old_is_whole}; {new_is_absent}; {new}; {new_is_whole}; remove""")

    def test_a_bundle_that_meets_a_failing_place(self):
        stick = "/mnt/stick"
        self.assert_writing_fails_and_goes_on(
            f"{TOOL} write {self.old} {stick} {OLD} single", f"{TOOL} write {self.new} {stick} {NEW} single",
            f"{TOOL} check {stick} {OLD}", f"{TOOL} check {stick} {NEW}; {TOOL} check {stick} {OLD}",
            f"test ! -e {stick}/{NEW}")

    def test_a_plain_export_that_meets_a_failing_place(self):
        stick = "/mnt/stick"
        self.assert_writing_fails_and_goes_on(
            f"{TOOL} plain {self.old} {stick} update", f"{TOOL} plain {self.new} {stick} update",
            f"diff -r {self.old} {stick}/update", f"diff -r {self.new} {stick}/update", "true")

    def test_a_place_that_cannot_be_read_is_found_and_costs_no_more_than_it_holds(self):
        check = f"{TOOL} check /mnt/stick {OLD}"
        said = self.runs(f"""
            echo "0 $size linear /dev/ubda 0" | create; {TOOL} write {self.old} /mnt/stick {OLD} single; remove
            echo "0 $size dust /dev/ubda 0 512" | create; {check}
            block=8000; while [ $block -lt 8008 ]; do dmsetup message stick 0 addbadblock $block; block=$((block + 1)); done
            dmsetup message stick 0 enable; echo 3 >/proc/sys/vm/drop_caches
            fails {check}
            dmsetup message stick 0 disable; {check}; remove""")
        self.assertIn("medium-io", said)


if __name__ == "__main__":
    unittest.main()
