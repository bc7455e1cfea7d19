#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""airlock-device install and uninstall: on a device in a folder; udev and systemd judge what was laid down."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from rehearsal_device import Device, DeviceScenario
import scenario
from scenario import tree

os.environ["PATH"] += ":/usr/sbin:/sbin"
NEEDED = ("systemd-analyze", "udevadm", "umockdev-run")
PROGRAM = "/var/airlock/bin/airlock-device"
CLIENT = "/etc/sota/conf.d/90-airlock.toml"
UNIT = "/etc/systemd/system/airlock-stick@.service"
RULE = "/etc/udev/rules.d/90-airlock.rules"
SIGNERS = "/etc/airlock/signers"
EXPOSURE_MAX = 3.0
KILLS = 8

STICK = """P: /devices/pci0000:00/{parent}
E: SUBSYSTEM={bus}

P: /devices/pci0000:00/{parent}/block/sdb
N: sdb
E: DEVTYPE=disk
E: DEVNAME=/dev/sdb
E: SUBSYSTEM=block
A: dev=8:16\\n

P: /devices/pci0000:00/{parent}/block/sdb/sdb1
N: sdb1
E: DEVTYPE=partition
E: DEVNAME=/dev/sdb1
E: SUBSYSTEM=block
E: ID_FS_TYPE={file_system}
A: dev=8:17\\n
"""


def in_mounts(script):
    """Words before a command, that run it where `script` has mounted things that nobody else sees."""
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *as_root, "--mount", "sh", "-ec", f'{script}\nexec "$@"', "sh"]


class Installing(DeviceScenario):
    cloud_options = None

    @classmethod
    def setUpClass(cls):
        scenario.Scenario.setUpClass.__func__(cls)

    def setUp(self):
        scenario.Scenario.setUp(self)
        self.assertEqual([p for p in NEEDED if shutil.which(p) is None], [],
                         "this machine lacks programs; ./bootstrap install test brings them")
        folder = Path(tempfile.mkdtemp(prefix="airlock-device-"))
        self.addCleanup(shutil.rmtree, folder)
        self.device = Device(folder, "large-mcu")
        self.device.configure(source="/var/rootdirs/media/STICK/update", enabled=False)
        self.device.beneath("/var").mkdir()
        self.program = self.device.bring_program()
        self.before = tree(self.device.root)

    def run_it(self, verb, *words, code=0, error=None, before=()):
        found, stdout, stderr = self.run_device(verb, *words, program=self.program, before=before)
        self.assertEqual(found, code, stdout + stderr)
        if error:
            self.assertRegex(stderr, rf"(?m)^airlock-device: .*\[{error}\]$")
        return stdout if code == 0 else stderr

    def laid_down(self):
        return {"/" + path for path in set(tree(self.device.root)) - set(self.before)}

    def read(self, path):
        return self.device.beneath(path).read_text()

    # What is laid down, and that it goes again.

    def test_everything_is_there_and_the_key_is_shown(self):
        stdout = self.run_it("install")
        self.assertEqual(self.laid_down(), {PROGRAM, CLIENT, UNIT, RULE, "/var/airlock/device.key", "/var/airlock/lock"})
        self.assertEqual(self.device.beneath(PROGRAM).read_bytes(), self.program.read_bytes())
        self.assertEqual(self.device.beneath(PROGRAM).stat().st_mode & 0o7777, 0o755)
        key = re.search(r"(?m)^key +([0-9a-f]{64})$", stdout)[1]
        self.assertRegex(stdout, r"(?m)^fingerprint [A-Z2-7]{5}-")
        self.assertIn(f"airlock reports key add NAME {key} --helper", stdout)
        self.assertIn("anybody's bundle is taken", stdout)
        self.assertIn("systemctl restart aktualizr-torizon", stdout)
        self.assertIn("systemctl daemon-reload; udevadm control --reload", stdout)
        self.assertIn(f"ExecStart={PROGRAM} visit --wait 900 /dev/%I\n", self.read(UNIT))
        code, stdout, stderr = self.run_device("key")
        self.assertEqual((code, stdout.splitlines()[0]), (0, key), stderr)

    def test_the_same_again_changes_nothing(self):
        self.run_it("install")
        files = {path: self.device.beneath(path).stat().st_ino for path in self.laid_down()}
        stdout = self.run_it("install")
        self.assertEqual(len(re.findall(r"\(as it was\)", stdout)), 5, stdout)
        self.assertEqual({path: self.device.beneath(path).stat().st_ino for path in self.laid_down()}, files)

    def test_another_choice_and_another_program_take_the_place(self):
        self.run_it("install")
        with self.program.open("ab") as program:
            program.write(b"newer")
        self.run_it("install", "--led", "carrier:green:status", "--wait", 60)
        self.assertIn("visit --wait 60 --led carrier:green:status /dev/%I\n", self.read(UNIT))
        self.assertTrue(self.device.beneath(PROGRAM).read_bytes().endswith(b"newer"))

    def test_uninstall_removes_all_of_it_and_keeps_the_key(self):
        self.device.write("/keys", "ab" * 32 + " workshop\n")
        self.before = tree(self.device.root)
        self.run_it("install", "--signers", self.device.beneath("/keys"))
        key = self.read("/var/airlock/device.key")
        self.assertIn("kept /var/airlock", self.run_it("uninstall"))
        self.assertEqual(self.laid_down(), {"/var/airlock/device.key", "/var/airlock/lock"})
        self.assertFalse(self.device.beneath("/etc/airlock").exists())
        self.run_it("install")
        self.assertEqual(self.read("/var/airlock/device.key"), key)
        self.run_it("uninstall", "--purge")
        self.assertEqual(tree(self.device.root), self.before)
        self.assertFalse(self.device.beneath("/var/airlock").exists())
        self.run_it("uninstall")

    def test_what_a_person_put_beside_the_program_stays(self):
        self.run_it("install")
        mine = [Path(PROGRAM).parent / "my-tool", Path("/etc/airlock/bin/my-hook")]
        for path in mine:
            self.device.write(str(path), "mine\n")
        self.run_it("uninstall")
        self.assertEqual([self.read(str(path)) for path in mine], ["mine\n"] * 2)
        self.assertFalse(self.device.beneath(PROGRAM).exists())

    def test_the_installed_program_uninstalls_itself(self):
        self.run_it("install")
        self.program = self.device.beneath(PROGRAM)
        self.run_it("uninstall", "--purge")
        self.assertEqual(self.laid_down(), set())

    def test_a_persons_files_are_left_alone(self):
        for path in (CLIENT, UNIT, RULE):
            self.device.write(path, "# mine\n")
            self.assertIn(path, self.run_it("install", code=2, error="already-exists"))
            self.assertEqual(self.laid_down(), {path})
            self.assertIn(f"left, not laid down by install: {path}", self.run_it("uninstall", "--purge"))
            self.assertEqual(self.read(path), "# mine\n")
            self.device.beneath(path).unlink()

    def test_kills_leave_what_the_same_command_finishes(self):
        begun = time.monotonic()
        self.run_it("install")
        took = time.monotonic() - begun
        names = self.laid_down()
        for i in range(KILLS):
            self.run_it("uninstall", "--purge")
            process = self.device.start("install", program=self.program)
            time.sleep(took * (i + 0.5) / KILLS)
            process.kill()
            process.communicate()
            if self.device.beneath(RULE).exists():
                self.assertTrue(self.device.beneath(UNIT).exists() and self.device.beneath(PROGRAM).exists())
            self.run_it("install")
            self.assertEqual(self.laid_down(), names)

    # Whom it believes, and where it comes from.

    def test_the_keys_of_signers_are_given_by_a_person(self):
        keys = self.device.beneath("/keys")
        keys.write_text("ab" * 32 + " workshop\n" + "cd" * 32 + " office\n")
        self.assertIn("one of 2 keys", self.run_it("install", "--signers", keys))
        self.assertIn("one of 2 keys", self.run_it("install"), "they stay")
        self.assertIn("ab" * 32 + " workshop\n", self.read(SIGNERS))
        keys.write_text("ab" * 32 + " workshop\n")
        self.assertIn("one of 1 keys", self.run_it("install", "--signers", keys))

    def test_what_is_no_file_of_keys_is_not_waited_for(self):
        pipe = self.device.beneath("/pipe")
        os.mkfifo(pipe)
        self.assertIn("no file of keys", self.run_it("install", "--signers", pipe, code=2, error="bad-config"))

    def test_keys_that_cannot_be_read_stop_it_before_anything_is_laid_down(self):
        keys = self.device.beneath("/keys")
        self.run_it("install", "--signers", keys, code=2, error="no-such-path")
        for text in ("", "# none\n", "ab" * 31 + " short\n"):
            keys.write_text(text)
            self.run_it("install", "--signers", keys, code=2, error="bad-config")
        self.assertEqual(self.laid_down(), {"/keys"})

    def test_no_stick_brings_the_keys(self):
        stick = self.device.beneath("/media")
        stick.mkdir()
        mounted = in_mounts(f'mount -t tmpfs none "{stick}"; echo {"ab" * 32} stranger >"{stick}/keys"')
        self.run_it("install", "--signers", stick / "keys", code=2, error="not-own-disk", before=mounted)
        self.assertEqual(self.laid_down(), set())

    def test_from_a_stick_it_does_not_install(self):
        stick = self.device.beneath("/media")
        stick.mkdir()
        mounted = in_mounts(f'mount -t tmpfs none "{stick}"; cp "{self.program}" "{stick}/it"')
        self.program = stick / "it"
        self.run_it("install", code=2, error="not-own-disk", before=mounted)
        self.assertEqual(self.laid_down(), set())

    def test_where_programs_do_not_run_it_takes_the_next_place(self):
        var, etc = (self.device.beneath(path) for path in ("/var", "/etc"))

        def noexec(folder):
            return f'mount --bind "{folder}" "{folder}"; mount -o remount,bind,noexec "{folder}"\n'
        self.run_it("install", code=6, error="no-place", before=in_mounts(noexec(var) + noexec(etc)))
        self.assertFalse(self.device.beneath(RULE).exists())
        self.run_it("install", before=in_mounts(noexec(var)))
        self.assertIn("ExecStart=/etc/airlock/bin/airlock-device visit", self.read(UNIT))
        self.run_it("uninstall", "--purge")
        self.assertEqual(self.laid_down(), set())

    def test_a_wrong_led_or_another_word_is_refused(self):
        for name in ("", "../../etc", "a b", "a%i", ".."):
            self.run_it("install", "--led", name, code=2, error="usage")
        self.run_it("install", "stick", code=2, error="usage")
        self.assertEqual(self.laid_down(), set())

    # The client, systemd and udev.

    def test_a_later_file_that_takes_back_where_the_client_looks_is_told(self):
        self.assertNotIn("takes back", self.run_it("install"))
        self.device.write("/etc/sota/conf.d/95-mine.toml", '[uptane]\noffline_updates_source = "/elsewhere"\n')
        self.assertIn("takes back", self.run_it("install"))

    def test_systemd_and_udev_are_told_where_they_run(self):
        self.device.beneath("/run/systemd/system").mkdir(parents=True)
        for name in ("systemctl", "udevadm"):
            self.device.fake_tool(f"/usr/bin/{name}", "")
        for verb in ("install", "uninstall"):
            self.assertNotIn("where systemd runs", self.run_it(verb))
            self.assertEqual(self.device.calls(), ["systemctl daemon-reload", "udevadm control --reload"])
            self.device.beneath("/calls").unlink()
        self.device.fake_tool("/usr/bin/udevadm", "exit 3")
        self.assertIn("code 3", self.run_it("install", code=1, error="tool-failed"))

    def test_systemd_takes_the_unit_and_finds_little_exposed(self):
        for words in ((), ("--led", "status")):
            self.run_it("install", *words)
            unit = self.home / "airlock-stick@.service"
            unit.write_text(self.read(UNIT).replace(f"={PROGRAM} ", "=/bin/true "))
            said = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
            self.assertEqual((said.returncode, said.stdout, said.stderr), (0, "", ""))
            said = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
                                  capture_output=True, text=True)
            score = float(re.search(r"exposure level .*: (\d+\.\d+)", said.stdout)[1])
            self.assertLessEqual(score, EXPOSURE_MAX, said.stdout)

    def wants(self, parent="usb1", bus="usb", file_system="vfat", action="add"):
        """What udev has systemd start for a partition, by its own reading of the rule."""
        rules = self.device.beneath(RULE).parent
        stick = self.home / "stick.umockdev"
        stick.write_text(STICK.format(parent=parent, bus=bus, file_system=file_system))
        words = in_mounts(f'mount --bind "{rules}" /usr/lib/udev/rules.d; mount --bind "{rules}" /etc/udev/rules.d\n'
                          "mkdir -p /run/udev; mount -t tmpfs none /run/udev")
        said = subprocess.run([*words, "umockdev-run", f"--device={stick}", "--", "udevadm", "test", "-a", action,
                               f"/sys/devices/pci0000:00/{parent}/block/sdb/sdb1"], capture_output=True, text=True)
        self.assertIn("DEVNAME=/dev/sdb1", said.stdout, said.stderr)
        self.assertNotRegex(said.stderr, r"90-airlock\.rules:\d+")
        return re.findall(r"(?m)^SYSTEMD_WANTS=(.*)$", said.stdout)

    def test_udev_starts_the_unit_for_a_stick_and_for_nothing_else(self):
        self.run_it("install")
        for file_system in ("vfat", "exfat", "ext4"):
            self.assertEqual(self.wants(file_system=file_system), ["airlock-stick@sdb1.service"])
        self.assertEqual(self.wants(file_system="btrfs"), [])
        self.assertEqual(self.wants(parent="ahci", bus="pci"), [])
        self.assertEqual(self.wants(action="change"), [])


if __name__ == "__main__":
    scenario.main()
