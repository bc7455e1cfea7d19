#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What reaches a vfat stick is recorded write by write, and the power cut after each flush: nothing is left to chance.

dm-log-writes records in one boot of a machine of its own; in the same boot every cut is repaired by fsck.vfat, mounted
and checked: the older content is whole, the newer has its name only if it is whole, and the same command finishes it.
"""

import os
import re
import shutil
import tempfile
import unittest
from pathlib import Path

import machine
from machine import Machine
from power_cut import NEW, OLD, TOOL, make_source

HERE = Path(__file__).resolve().parent
SIZE_MB, LOG_MB = 36, 60
WRITES = 6  # cuts between flushes

RECORD = """
size=$(blockdev --getsz /dev/ubda)
dmsetup create --noudevsync --noudevrules log --table "0 $size log-writes /dev/ubda /dev/ubdb" >/dev/null
mkdir /mnt/checked
mount -t vfat /dev/dm-0 /mnt/stick
{steps}
umount /mnt/stick
dmsetup remove --noudevsync log
echo RECORDED
python3 -B {here}/replay_writes.py /dev/ubdb /dev/ubdc /dev/ubdd {writes} {check}
"""
# What one repair uncovers, the next one mends.
CHECK = """
for run in 1 2 3 4; do
  if fsck.vfat -a /dev/ubdd >/dev/null; then break; else test $? = 1; fi
done
fsck.vfat -n /dev/ubdd >/dev/null
mount -t vfat /dev/ubdd /mnt/checked
cd /mnt/checked
{check}
cd /
umount /mnt/checked
fsck.vfat -n /dev/ubdd >/dev/null
"""


class LogWrites(unittest.TestCase):
    def setUp(self):
        self.assertEqual(machine.missing("dmsetup", "blockdev"), [],
                         "this machine lacks programs; ./bootstrap install test brings them")
        self.folder = Path(tempfile.mkdtemp(prefix="airlock-fault-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.folder.chmod(0o755)
        self.old = make_source(self.folder / "old", 1 << 20)
        self.new = make_source(self.folder / "new", 3 << 20)
        self.image = self.folder / "stick.img"
        machine.make_stick(self.image, SIZE_MB)

    def replay(self, first, steps, check):
        """`first` is on the stick when the recording of the steps begins."""
        with Machine(self.image, first) as m:
            self.assertEqual(m.exit_code(), 0, m.said())
        disks = [self.folder / name for name in ("log.img", "state.img", "scratch.img")]
        with open(disks[0], "wb") as log:
            log.truncate(LOG_MB << 20)
        for disk in disks[1:]:
            shutil.copy(self.image, disk)
        script = self.folder / "check"
        script.write_text(CHECK.format(check=check))
        record = RECORD.format(steps=steps, here=HERE, writes=WRITES, check=script)
        with Machine(self.image, f"set -e; {record}", disks, mounted=False) as m:
            self.assertEqual(m.exit_code(), 0, m.said())
            said = re.search(r"REPLAYED (\d+) cuts: (\d+) flushes.*", m.said())
        self.assertGreater(int(said[2]), 2, "the flushes of the medium were not recorded")
        self.assertGreater(int(said[1]), int(said[2]))
        print(said[0])

    def test_a_bundle_is_written_and_then_renewed(self):
        renewed = make_source(self.folder / "renewed", 2 << 20)
        write, renew = (f"{TOOL} write {source} . {NEW} single" for source in (self.new, renewed))
        self.replay(f"{TOOL} write {self.old} /mnt/stick {OLD} single",
                    f"cd /mnt/stick; {write}; {renew}; cd /",
                    f"{TOOL} check . {OLD}; if [ -e {NEW} ]; then {TOOL} check . {NEW}; fi; "
                    f"if [ $(($1 % 3)) = 0 ]; then {renew}; {TOOL} check . {NEW}; {TOOL} check . {OLD}; fi")

    def test_the_plain_export_is_replaced(self):
        write = f"{TOOL} plain {self.new} . update"
        self.replay(f"{TOOL} plain {self.old} /mnt/stick update",
                    f"cd /mnt/stick; {write}; cd /",
                    "if [ -e update ]; then there=update; else there=.update.old; fi; "
                    f"diff -rq $there {self.old} >/dev/null || diff -r $there {self.new}; "
                    f"if [ $(($1 % 3)) = 0 ]; then {write}; diff -r update {self.new}; "
                    "test ! -e .update.part; test ! -e .update.old; fi")


if __name__ == "__main__":
    unittest.main()
