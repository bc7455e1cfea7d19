#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A real vfat stick is put into a device of its own: user-mode Linux runs airlock-device visit.

The device's root is a folder of this computer, which the machine sees through hostfs; its /var is in the machine's memory,
since hostfs lets nobody but its own user make a folder. No client looks. The program is built without the address
sanitizer, for which the machine has no room.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from rehearsal_device import SOURCE, Device, DeviceScenario
import scenario
from scenario import TESTS, tree

sys.path.append(str(TESTS / "fault"))
import machine  # noqa: E402
from machine import Machine  # noqa: E402

VISIT = """cp -r {stick}/. /mnt/stick && umount /mnt/stick &&
mkdir /mnt/root && mount -t hostfs none /mnt/root -o {root} && mount -t tmpfs none /tmp &&
cp -r /mnt/root/var /mnt/var && mount -t tmpfs none /mnt/root/var && cp -r /mnt/var/. /mnt/root/var &&
/mnt/root/airlock-device install --root /mnt/root &&
/mnt/root/var/airlock/bin/airlock-device visit --wait 1 --root /mnt/root /dev/ubda && ! grep ubda /proc/mounts &&
mount -t vfat -o ro /dev/ubda /mnt/stick &&
cp -r /mnt/stick/airlock /mnt/root/brought && cp -r /mnt/root/var/airlock/update /mnt/root/taken"""


class Vfat(DeviceScenario):
    def test_a_stick_with_vfat_brings_a_lockbox_and_takes_the_report(self):
        self.assertEqual(machine.missing(), [], "this machine lacks programs; ./bootstrap install test brings them")
        folder = tempfile.TemporaryDirectory(prefix="airlock-device-")
        self.addCleanup(folder.cleanup)
        root = Path(folder.name) / "root"
        self.device = Device(root, "large-mcu")
        self.provision(self.device)
        self.device.write("/etc/hostname", "pump-7\n")
        self.device.bring_program()
        stick = shutil.copytree(self.stick, Path(folder.name) / "stick")
        image = Path(folder.name) / "stick.img"
        machine.make_stick(image)
        with Machine(image, VISIT.format(stick=stick, root=root)) as m:
            self.assertEqual(m.exit_code(), 0, m.said())
            said = m.said()
        self.assertIn(f"line version {self.version} unpacked to {SOURCE}", said)
        self.assertIn("/dev/ubda may be pulled", said)
        self.assertEqual(tree(root / "taken"), self.expected)
        self.assertEqual(machine.repair(image)[0], 0)
        brought, before = tree(root / "brought"), tree(self.stick / "airlock")
        self.assertEqual(set(brought) - set(before), {"reports/pump-7/1.json", "requests/pump-7.json"})
        self.assertEqual({path: brought[path] for path in before}, before)


if __name__ == "__main__":
    scenario.main()
