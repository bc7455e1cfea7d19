#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""plain_power_cut.py [CUTS]: the power is cut while update/, which a stock device reads, is replaced on a vfat stick.

After each cut and a repair by fsck.vfat, update/ is the old one or the new one, whole, or it is not there and the old
one stands beside it; a device's log is kept; and the same command finishes the new one.
"""

import sys
import unittest

import machine
import power_cut
from machine import Machine

LOG = "what a device wrote"


class PlainPowerCut(power_cut.PowerCut):
    def setUp(self):
        super().setUp()
        for source in (self.old, self.new):
            for n in range(100):  # as the many objects of an OSTree repository
                (source / "images" / f"object-{n}").write_text(f"{source} {n}")
        self.runs(f"{self.writing(self.old)} && echo '{LOG}' >/mnt/stick/update/update-logs.db")
        power_cut.shutil.copy(self.image, self.before)

    def writing(self, source, _name=None):
        return f"{power_cut.TOOL} plain {source} /mnt/stick update"

    def same(self, folder, source):
        return f"diff -r -x update-logs.db {folder} {source}"

    def has_log(self, folder):
        return f"grep -qx '{LOG}' {folder}/update-logs.db"

    def assert_nothing_is_lost(self):
        code, report = machine.repair(self.image)
        self.assertEqual(code, 0, report)
        stick = "/mnt/stick"
        with Machine(self.image, f"""
            ls -a {stick}
            if [ -e {stick}/update ]; then there={stick}/update; else there={stick}/.update.old; echo BETWEEN; fi
            if {self.same("$there", self.old)} >/dev/null; then echo OLD; else {self.same("$there", self.new)} && echo NEW; fi &&
            {self.has_log("$there")} &&
            {self.writing(self.new)} && {self.same(f"{stick}/update", self.new)} && {self.has_log(f"{stick}/update")} &&
            test ! -e {stick}/.update.part && test ! -e {stick}/.update.old""") as m:
            self.assertEqual(m.exit_code(), 0, m.said())
            self.states = getattr(self, "states", []) + [w for w in ("BETWEEN", "OLD", "NEW") if w in m.said().split()]

    def test_the_same_command_goes_on_after_each_cut(self):
        super().test_the_same_command_goes_on_after_each_cut()
        print(f"on the stick after the cuts: {' '.join(self.states)}")

    def test_what_was_said_to_be_written_is_on_the_stick(self):
        with Machine(self.image, f"{self.writing(self.new)} && echo WRITTEN && sleep 60") as m:
            m.wait_for("WRITTEN")
            m.cut_power()
        code, report = machine.repair(self.image)
        self.assertEqual(code, 0, report)
        self.runs(f"{self.same('/mnt/stick/update', self.new)} && {self.has_log('/mnt/stick/update')}")

    def test_the_capacity_of_a_vfat_stick_is_tested_and_nothing_stays(self):
        free = "$(df -k --output=avail /mnt/stick | tail -n 1)"
        self.runs(f"set -ex; before={free}; tested=$({power_cut.TOOL} capacity /mnt/stick); after={free}; "
                  "test $before = $after; test $((tested / 1024)) = $before")
        code, report = machine.repair(self.image)
        self.assertEqual(code, 0, report)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        power_cut.CUTS = int(sys.argv.pop(1))
    unittest.main()
