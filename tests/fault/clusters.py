#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What is said of a real vfat before the first byte: its clusters, and how much of it many small files will take."""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import machine
from machine import Machine
from power_cut import TOOL

CLUSTER = 32 << 10
FILES = 300
NO_SPACE = 6  # exit code


class Clusters(unittest.TestCase):
    def setUp(self):
        self.assertEqual(machine.missing(), [], "this machine lacks programs; ./bootstrap install test brings them")
        self.folder = Path(tempfile.mkdtemp(prefix="airlock-fault-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.folder.chmod(0o755)
        self.source = self.folder / "source"
        (self.source / "metadata").mkdir(parents=True)
        (self.source / "metadata/1.root.json").write_bytes(b"{}\n")
        for n in range(FILES):
            folder = self.source / f"images/{n % 16:02x}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"object-{n}").write_bytes(bytes(100))

    def stick(self, size_mb, fat):
        image = self.folder / "stick.img"
        with image.open("wb") as file:
            file.truncate(size_mb << 20)
        subprocess.run(["mkfs.vfat", "-F", fat, "-s", str(CLUSTER // 512), image], check=True, stdout=subprocess.DEVNULL)
        return image

    def test_small_files_take_a_cluster_each_and_that_was_said(self):
        free = "df -B1 --output=avail /mnt/stick | tail -1"
        with Machine(self.stick(128, "16"), f"set -e; before=$({free}); {TOOL} forecast {self.source} /mnt/stick; "
                                      f"{TOOL} plain {self.source} /mnt/stick update; sync; "
                                      f"echo TOOK $((before - $({free})))") as m:
            self.assertEqual(m.exit_code(), 0, m.said())
            said = re.search(r"^vfat (\d+) (\d+) (\d+)$", m.said(), re.MULTILINE)
            self.assertIsNotNone(said, m.said())
            cluster, least, most = map(int, said.groups())
            took = int(re.search(r"^TOOK (\d+)$", m.said(), re.MULTILINE)[1])
        self.assertEqual(cluster, CLUSTER)
        self.assertEqual(least, (FILES + 1) * CLUSTER)  # 30 kB of content
        self.assertLessEqual(least, took)
        self.assertLessEqual(took, most)

    def test_what_fits_by_its_bytes_and_not_by_its_clusters_is_refused(self):
        with Machine(self.stick(9, "12"), f"{TOOL} forecast {self.source} /mnt/stick") as m:
            self.assertEqual(m.exit_code(), NO_SPACE, m.said())
            self.assertIn("no-space", m.said())


if __name__ == "__main__":
    unittest.main()
