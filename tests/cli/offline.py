#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""sync --wait: without a network it sleeps, and when the network is there it does what there is to do.

The whole file runs in a network namespace of its own, where the loopback interface is all the network there is and
can be taken away.
"""

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

import scenario
from courier import Courier
from client import Device

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def set_network(up):
    """The loopback interface of this namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = fcntl.ioctl(s, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", request)[1]
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP if up else flags & ~IFF_UP))


def switches(process):
    """How often it was woken, and the seconds of the processor it took."""
    with open(f"/proc/{process.pid}/status") as status:
        [woken] = [int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt_switches")]
    with open(f"/proc/{process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return woken, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Offline(Courier):
    def setUp(self):
        super().setUp()
        self.addCleanup(set_network, True)
        self.pump = Device("pump-7")
        self.uuid = self.cloud.tell("device", "add", self.id(), "--name", "Pump seven", "--components", json.dumps(
            [{"id": self.pump.serial, "hardwareId": "h", "primary": True,
              "image": {"filepath": "x", "size": 1, "hash": {"sha256": "0" * 64}}}]))["deviceUuid"]
        self.bring((self.pump, self.pump.manifest(counter=42)))

    def notes(self):
        [found] = [d for d in self.cloud.tell("device", "list") if d["deviceUuid"] == self.uuid]
        return found["notes"]

    def until_it_waits(self, process):
        self.assertRegex(process.stderr.readline(), b"^airlock: waiting for the cloud: ")

    def test_without_a_network_it_sleeps_and_with_one_it_is_done(self):
        set_network(False)
        process = self.start("--json", "sync", "--wait")
        self.until_it_waits(process)
        time.sleep(4)  # its shortest rest is over
        before = switches(process)
        time.sleep(3)
        after = switches(process)
        self.assertLess(after[0] - before[0], 5)
        self.assertLess(after[1] - before[1], 0.05)
        self.assertIsNone(process.poll())
        self.assertNotIn("airlock reports", self.notes())
        began = time.monotonic()
        set_network(True)
        outcome = self.finish(process, within=20)
        self.assertEqual(outcome.code, 0, str(outcome))
        self.assertLess(time.monotonic() - began, 12, "the change of the network woke it, not the pause")
        self.assertTrue(outcome.answer["devices"][0]["changed"])
        self.assertIn("| 42 |", self.notes())

    def test_a_cloud_that_is_down_is_waited_for_with_few_questions(self):
        self.cloud.clear_log()
        self.fault("^POST token/", "status", "code=503")
        process = self.start("--json", "sync", "--wait")
        self.until_it_waits(process)
        time.sleep(8)
        self.assertLessEqual(len([1 for line in self.cloud.log() if line["origin"] == "token"]), 2)
        self.forget_what_went_wrong()
        self.assertEqual(self.finish(process, within=40).code, 0)
        self.assertIn("| 42 |", self.notes())

    def test_what_waiting_does_not_mend_is_told_at_once(self):
        self.fault("^POST token/", "status", "code=401")
        self.refuses(5, "login-refused", "sync", "--wait")

    def test_it_ends_when_it_is_told_to(self):
        self.fault("^POST token/", "status", "code=503")
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start("sync", "--wait")
            self.until_it_waits(process)
            process.send_signal(number)
            self.assertEqual(process.wait(10), -number)

    def test_two_at_once_write_once(self):
        """The second waits for the first, and finds nothing left to do."""
        self.cloud.clear_log()
        self.fault("^PUT api/", "delay", "seconds=3", times=1)
        first = self.start("--json", "sync")
        time.sleep(1)
        second = self.start("--json", "sync")
        self.assertEqual((self.finish(first).code, self.finish(second).code), (0, 0))
        self.assertEqual(len([1 for line in self.cloud.log() if line["method"] == "PUT"]), 1)
        self.assertEqual(self.notes().count("| 42 |"), 1)

    def test_the_second_goes_on_when_the_first_is_killed(self):
        self.cloud.clear_log()
        self.fault("^PUT api/", "delay", "seconds=8", times=1)
        first = self.start("sync")
        self.wait_until(lambda: "| 42 |" in self.notes(), "the first has written, and waits for the answer")
        second = self.start("--json", "sync")
        time.sleep(1)
        self.assertIsNone(second.poll(), "it waits for the first")
        first.kill()
        self.assertEqual(self.finish(second, within=30).code, 0)
        self.assertEqual(len([1 for line in self.cloud.log() if line["method"] == "PUT"]), 1)
        self.assertEqual(self.notes().count("| 42 |"), 1)


if __name__ == "__main__":
    if "AIRLOCK_OWN_NETWORK" not in os.environ:
        map_root = [] if os.geteuid() == 0 else ["--map-root-user"]
        os.environ["AIRLOCK_OWN_NETWORK"] = "1"
        sys.exit(subprocess.run(["unshare", "--net", *map_root, sys.executable, "-B", *sys.argv]).returncode)
    set_network(True)
    scenario.main()
