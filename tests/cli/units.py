#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""sync --install: a real systemd of a user runs airlock when something comes into the ledger.

The whole file runs in a mount namespace, where /run is a folder of its own that says that systemd was booted: so its
manager for a user starts on any machine.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import scenario
from courier import Courier
from client import Device

RUNTIME = "/run/airlock-user"
UNITS = ["airlock-sync.service", "airlock-sync.path", "airlock-sync.timer"]


class Units(Courier):
    def login(self):
        # what a unit would expand, split or end with
        odd = self.home / 'a %h "b" $HOME \\x'
        self.env |= {"XDG_CONFIG_HOME": str(odd / "config"), "XDG_STATE_HOME": str(odd / "state"),
                     "XDG_RUNTIME_DIR": RUNTIME}
        self.config, self.state = odd / "config/airlock", odd / "state/airlock"
        self.units = odd / "config/systemd/user"
        super().login()

    def setUp(self):
        super().setUp()
        self.pump = Device("pump-7")
        self.uuid = self.cloud.tell("device", "add", self.id(), "--name", "Pump seven", "--components", json.dumps(
            [{"id": self.pump.serial, "hardwareId": "h", "primary": True,
              "image": {"filepath": "x", "size": 1, "hash": {"sha256": "0" * 64}}}]))["deviceUuid"]

    def start_manager(self):
        log = (self.home / "systemd.log").open("w")
        # the sanitizer looks for leaks with ptrace, which the sandbox of the service denies
        manager = subprocess.Popen(["/lib/systemd/systemd", "--user", "--log-target=console"], stdout=log, stderr=log,
                                   env=self.env | {"ASAN_OPTIONS": "detect_leaks=0"})
        self.addCleanup(log.close)
        self.addCleanup(manager.wait)
        self.addCleanup(manager.send_signal, signal.SIGTERM)
        self.wait_until(lambda: self.systemctl("is-system-running").stdout.strip() in ("running", "degraded"),
                        "systemd's manager for the user (it needs root, or a cgroup of the user's as in a login)")

    def systemctl(self, *words):
        return subprocess.run(["systemctl", "--user", *words], env=self.env, capture_output=True, text=True)

    def notes(self):
        [found] = [d for d in self.cloud.tell("device", "list") if d["deviceUuid"] == self.uuid]
        return found["notes"]

    def test_what_comes_into_the_ledger_goes_to_the_cloud_by_itself(self):
        self.start_manager()
        self.bring((self.pump, self.pump.manifest(counter=41)))
        answer = self.ok("sync", "--install")
        self.assertEqual((answer["folder"], answer["units"], answer["systemd"]), (str(self.units), UNITS, True))
        self.wait_until(lambda: "| 41 |" in self.notes(), "what was there before")
        self.wait_until(lambda: self.systemctl("is-active", "airlock-sync.service").stdout.strip() == "inactive", "its end")
        self.bring((self.pump, self.pump.manifest(counter=42)))
        self.wait_until(lambda: "| 42 |" in self.notes(), "what came later")
        self.wait_until(lambda: self.systemctl("is-active", "airlock-sync.service").stdout.strip() == "inactive", "its end")
        self.assertEqual(self.ok("sync", "--install")["systemd"], True)  # again
        self.assertEqual(self.ok("sync", "--uninstall"), {"schema": 1, "folder": str(self.units), "units": [],
                                                          "systemd": True})
        self.assertEqual(scenario.names(self.units), [])
        for unit in UNITS:
            self.assertEqual(self.systemctl("is-active", unit).stdout.strip(), "inactive", unit)

    def test_systemd_has_nothing_to_say_against_the_units(self):
        self.ok("sync", "--install")
        checked = subprocess.run(["systemd-analyze", "verify", "--user", "--man=no", *(self.units / u for u in UNITS)],
                                 env=self.env, capture_output=True, text=True)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_without_systemd_the_files_are_there_and_it_says_what_to_do(self):
        answer = self.ok("sync", "--install")
        self.assertFalse(answer["systemd"])
        self.assertEqual(scenario.names(self.units), sorted(UNITS))
        self.assertIn("systemctl --user enable --now", self.airlock("sync", "--install").stdout)
        self.assertIn("are removed", self.airlock("sync", "--uninstall").stdout)
        self.assertEqual(self.airlock("sync", "--uninstall").stdout, "there were none\n")

    def test_what_does_not_fit_is_refused(self):
        self.refuses(2, "usage", "sync", "--install", "--wait")
        self.refuses(2, "no-profile", "--profile", "nobody", "sync", "--install")
        self.refuses(2, "bad-config", "--state", self.home / "a\nb", "sync", "--install")
        self.assertEqual(scenario.names(self.units), [])


if __name__ == "__main__":
    if "AIRLOCK_OWN_RUN" not in os.environ:
        map_root = [] if os.geteuid() == 0 else ["--map-root-user"]
        os.environ["AIRLOCK_OWN_RUN"] = "1"
        sys.exit(subprocess.run(["unshare", "--mount", *map_root, sys.executable, "-B", *sys.argv]).returncode)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
    Path("/run/systemd/system").mkdir(parents=True)
    Path(RUNTIME).mkdir(mode=0o700)
    scenario.main()
