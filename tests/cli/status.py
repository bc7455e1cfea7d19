#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""reports status: how far a lockbox has come, from the ledger and the cloud, each with its own word; and the fleets of
the cloud as a filter."""

import json
import sys

import scenario
from courier import Courier

sys.path.insert(0, str(scenario.TESTS / "interop"))
import make_reports  # noqa: E402
from client import Device, Log  # noqa: E402

LOCKBOX, HARDWARE = "hall-update", "press-controller"
FUTURE = "2999-01-01T00:00:00Z"


class Status(Courier):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        package = cls.cloud.tell("package", "add", "press", "2.0.0", "--hwid", HARDWARE, "--random", "1K")
        cls.image = package["sha256"]
        cls.cloud.tell("lockbox", "define", LOCKBOX, package["target"])
        cls.version = 1

    def setUp(self):
        super().setUp()
        self.fleet = f"hall of {self.id()}"
        self.fleet_id = self.cloud.tell("fleet", "add", self.fleet)["id"]
        self.devices = {}

    def register(self, name, image=None, hardware=HARDWARE, fleet=True, online=True, **how):
        """A device of the fleet in the cloud; `image` None: it runs something else."""
        device = Device(name, **how)
        components = [{"id": device.serial, "hardwareId": hardware, "primary": True,
                       "image": {"filepath": "x", "size": 1, "hash": {"sha256": image or "0" * 64}}}] if online else []
        made = self.cloud.tell("device", "add", f"{name} {self.id()}", "--name", name, "--components",
                               json.dumps(components), *(["--fleet", self.fleet_id] if fleet else []))
        device.uuid = made["deviceUuid"]
        self.devices[name] = device
        return device

    def says(self, device, counter=1, **what):
        return device, device.manifest(**{"counter": counter, "lockbox": LOCKBOX, "version": self.version} | what)

    def status(self, *options, code):
        outcome = self.airlock("--json", "reports", "status", "--lockbox", LOCKBOX, *options)
        self.assertEqual(outcome.code, code, str(outcome))
        return outcome.answer

    def of_fleet(self, code, *options):
        answer = self.status("--fleet", self.fleet, *options, code=code)
        return answer, {m["machine"]: m for m in answer["machines"]}

    def offline(self):
        self.fault("^POST token/", "status", "code=503")

    def test_each_state_names_the_one_who_says_so(self):
        for name in ("quiet", "failing", "verified", "unverified", "refused"):
            self.register(name)
        self.register("online", image=self.image)
        self.register("both", image=self.image)
        self.register("never-online", online=False)
        self.register("conveyor", hardware="conveyor-controller")
        self.enrol(self.devices["verified"], "Presse 1")
        self.bring(self.says(self.devices["failing"], code="INSTALL_FAILED"), self.says(self.devices["verified"]),
                   self.says(self.devices["unverified"]), self.says(self.devices["both"]))
        self.ok("reports", "note", "never-online", "seen with my own eyes", "--lockbox", LOCKBOX, "--result", "installed")
        answer, machines = self.of_fleet(7)
        self.assertEqual({name: (m["state"], m["state_from"]) for name, m in machines.items()}, {
            "quiet": ("not heard of", None), "refused": ("not heard of", None), "failing": ("failed", "ledger"),
            "verified": ("done", "ledger"), "unverified": ("done", "ledger"), "online": ("done", "cloud"),
            "both": ("done", "ledger and cloud"), "never-online": ("done", "ledger"), "conveyor": ("not meant", "cloud")})
        self.assertEqual((answer["machine_count"], answer["done_count"], answer["cloud_asked"]), (8, 5, True))
        self.assertEqual((answer["version"], answer["version_from"], answer["fleet"]), (1, "cloud", self.fleet))
        self.assertEqual(machines["verified"]["ledger"]["proof"], "verified")
        self.assertEqual(machines["unverified"]["ledger"]["proof"], "unverified")
        self.assertEqual(machines["never-online"]["ledger"]["proof"], "technician-reported")
        self.assertEqual(machines["never-online"]["cloud"]["runs"], "unknown")
        self.assertIsNone(machines["quiet"]["ledger"])
        self.assertEqual((machines["failing"]["ledger"]["code"], machines["failing"]["cloud"]["runs"]),
                         ("INSTALL_FAILED", "other"))

    def test_the_sentence_and_a_table_that_fits(self):
        done = self.register("press-1")
        failed = self.register("press-" + "x" * 60)
        self.register("press-3")
        self.bring(self.says(done), self.says(failed, code="INSTALL_FAILED"))
        outcome = self.airlock("reports", "status", "--lockbox", LOCKBOX, "--fleet", self.fleet_id)
        self.assertEqual(outcome.code, 7, str(outcome))
        lines = outcome.stdout.splitlines()
        self.assertTrue(lines[1].startswith("1 of 3 machines done (1 unverified); press-xxx"), lines[1])
        self.assertTrue(lines[1].endswith(" failed; press-3 not heard of"), lines[1])
        table = lines[2:]
        self.assertLessEqual(max(map(len, table)), 80, outcome.stdout)
        [row] = [i for i, line in enumerate(table) if line.startswith("press-1 ")]
        self.assertIn("done            ledger: installed, unverified, ", table[row])
        self.assertEqual(table[row + 1].strip(), "cloud: runs other images")

    def test_all_done_and_nobody_failed_are_told_apart_by_the_exit_code(self):
        press = self.register("press-1")
        self.register("press-2", image=self.image)
        self.assertEqual(self.of_fleet(4)[0]["done_count"], 1)
        self.bring(self.says(press))
        self.assertEqual(self.of_fleet(0)[0]["done_count"], 2)

    def test_a_report_of_an_older_version_is_not_one_of_this(self):
        press = self.register("press-1")
        self.bring(self.says(press, version=7))
        _, machines = self.of_fleet(4)
        self.assertEqual(machines["press-1"]["state"], "not heard of")
        self.assertEqual((machines["press-1"]["ledger"]["version"], machines["press-1"]["ledger"]["counts"]), (7, False))
        self.assertIn("of version 7 only: installed", self.airlock(
            "reports", "status", "--lockbox", LOCKBOX, "--fleet", self.fleet).stdout)

    def test_forged_reports_and_strangers_say_nothing(self):
        press = self.register("press-1")
        self.enrol(press, "Presse 1")
        forged = json.loads(press.manifest(counter=9, lockbox=LOCKBOX, version=1, code="INSTALL_FAILED"))
        forged["signed"]["installation_report"]["report"]["result"] = {"success": True, "code": "OK", "description": ""}
        stranger = Device("press-1", serial=press.serial)
        self.bring((press, json.dumps(forged)), self.says(stranger, counter=99))
        _, machines = self.of_fleet(4)
        self.assertEqual((machines["press-1"]["state"], machines["press-1"]["ledger"]), ("not heard of", None))

    def test_what_a_device_calls_itself_makes_it_no_device_of_the_fleet(self):
        self.register("press-1")
        self.bring(self.says(Device("press-1")))
        answer, machines = self.of_fleet(4)
        self.assertEqual((machines["press-1"]["state"], answer["elsewhere_count"]), ("not heard of", 1))

    def test_a_device_that_the_cloud_saw_later_with_other_images_is_unclear(self):
        press = self.register("press-1")
        self.bring(self.says(press))
        self.assertEqual(self.of_fleet(0)[1]["press-1"]["state"], "done")
        self.cloud.tell("device", "set", press.uuid, "--last-seen", FUTURE)
        _, machines = self.of_fleet(4)
        self.assertEqual((machines["press-1"]["state"], machines["press-1"]["state_from"]), ("unclear", "ledger and cloud"))

    def test_the_newest_on_the_best_word_counts(self):
        press = self.register("press-1")
        self.bring(self.says(press, counter=4, code="INSTALL_FAILED"), self.says(press, counter=5))
        self.assertEqual(self.of_fleet(0)[1]["press-1"]["ledger"]["outcome"], "installed")
        self.bring((press, None))
        self.ok("reports", "note", "press-1", "smoke", "--lockbox", LOCKBOX, "--result", "failed")
        self.assertEqual(self.of_fleet(0)[1]["press-1"]["ledger"]["outcome"], "installed")

    def test_without_a_fleet_all_devices_with_the_hardware_count_and_those_in_the_ledger(self):
        press = self.register("lonely press", fleet=False)
        self.register("conveyor", hardware="conveyor-controller", fleet=False)
        stranger = Device("old press")
        self.bring(self.says(press), self.says(stranger))
        answer = self.status(code=4)
        machines = {m["machine"]: m for m in answer["machines"]}
        self.assertEqual(machines["lonely press"]["state"], "done")
        self.assertNotIn("conveyor", machines)
        self.assertEqual((machines['"old press"']["machine_from"], machines['"old press"']["cloud"]), ("ledger", None))
        self.assertTrue(answer["all_machines"])

    def ask(self, lockbox):
        """Each machine of all there are."""
        answer = self.airlock("--json", "reports", "status", "--lockbox", lockbox).answer
        return {m["machine"]: m for m in answer["machines"]}

    def test_a_part_of_the_images_is_not_all_of_them(self):
        packages = [self.cloud.tell("package", "add", f"twin-{part}", "1", "--hwid", f"twin-{part}", "--random", "1K")
                    for part in "ab"]
        self.cloud.tell("lockbox", "define", "twins", *[p["target"] for p in packages])
        twin = Device("twin")
        parts = [{"id": f"{twin.serial[:60]}{i}" if i else twin.serial, "hardwareId": f"twin-{part}", "primary": not i,
                  "image": {"filepath": "x", "size": 1, "hash": {"sha256": packages[0]["sha256"]}}}
                 for i, part in enumerate("ab")]
        uuid = self.cloud.tell("device", "add", self.id(), "--name", "twin", "--components", json.dumps(parts))["deviceUuid"]
        machine = self.ask("twins")["twin"]
        self.assertEqual((machine["state"], machine["cloud"]["runs"]), ("not heard of", "partly"))
        self.bring((twin, twin.manifest(lockbox="twins", version=1)))
        self.assertEqual(self.ask("twins")["twin"]["state"], "done")
        self.cloud.tell("device", "set", uuid, "--last-seen", FUTURE)
        self.assertEqual(self.ask("twins")["twin"]["state"], "unclear")

    def test_a_note_says_no_version(self):
        for _ in range(2):
            self.cloud.tell("lockbox", "define", "second")
        self.ok("reports", "note", "a press", "green light", "--lockbox", "second", "--result", "installed")
        machine = self.ask("second")["a press"]
        self.assertEqual((machine["state"], machine["ledger"]["outcome"], machine["ledger"]["version"]),
                         ("unclear", "installed", None))

    def test_a_row_that_nobody_signed_is_no_machine_more_and_never_a_result(self):
        self.cloud.tell("lockbox", "define", "rows")
        press = Device("signs")
        row = "urn:tdx-ota:lockbox:rows:1:0123456789ab"
        with Log(self.stick / "update/update-logs.db") as log:
            log.add(press, press.manifest(lockbox="rows", version=7))
            log.add("signs", None, name=row)
            log.add("never signs", None, name=row)
        self.ok("reports", "collect", self.stick)
        machines = self.ask("rows")
        self.assertEqual({name: (m["state"], m["ledger"]["proof"]) for name, m in machines.items()}, {
            '"signs"': ("in progress or interrupted", "unsigned"), '"never signs"': ("in progress or interrupted", "unsigned")})

    def test_offline_the_ledger_alone_answers_and_says_so(self):
        press = self.register("press-1")
        self.register("press-2", image=self.image)
        self.bring(self.says(press))
        self.of_fleet(0)
        self.offline()
        answer, machines = self.of_fleet(4)
        self.assertEqual((answer["cloud_asked"], answer["cloud_error"], answer["all_machines"]), (False, "http-status", True))
        self.assertEqual({name: m["state"] for name, m in machines.items()}, {"press-1": "done", "press-2": "not heard of"})
        outcome = self.airlock("reports", "status", "--lockbox", LOCKBOX)
        self.assertEqual(outcome.code, 4, str(outcome))
        self.assertIn("from the ledger alone: the cloud could not be asked: ", outcome.stdout)
        self.assertIn("1 of the 1 machines that were heard of done", outcome.stdout)
        self.assertNotIn("cloud:", outcome.stdout.split("on whose word")[1])
        self.refuses(2, "no-such-fleet", "reports", "status", "--lockbox", LOCKBOX, "--fleet", "another")

    def test_nobody_logged_in_is_the_ledger_alone(self):
        press = self.register("press-1")
        self.bring(self.says(press))
        answer = self.airlock("--json", "--profile", "nobody", "reports", "status", "--lockbox", LOCKBOX).answer
        self.assertEqual((answer["cloud_error"], answer["version"]), ("no-profile", None))
        self.assertEqual([m["state"] for m in answer["machines"]], ["done"])

    def test_wrong_words(self):
        self.refuses(2, "usage", "reports", "status")
        self.refuses(5, "no-such-lockbox", "reports", "status", "--lockbox", "nothing")
        self.refuses(3, "unsafe-name", "reports", "status", "--lockbox", "../x")
        self.refuses(2, "no-such-fleet", "reports", "status", "--lockbox", LOCKBOX, "--fleet", "nothing")
        self.cloud.tell("fleet", "add", self.fleet)
        self.refuses(2, "no-such-fleet", "reports", "status", "--lockbox", LOCKBOX, "--fleet", self.fleet, says="several")
        self.refuses(2, "usage", "reports", "status", "--lockbox", LOCKBOX, "--all")

    def test_few_questions_and_a_limit_on_them_is_waited_out(self):
        for i in range(6):
            self.register(f"press-{i}")
        self.cloud.clear_log()
        self.fault("GET api/.*/components", "status", "code=420", "retry-after=1", times=2)
        self.of_fleet(4)
        asked = [line["path"] for line in self.cloud.log() if line["origin"] == "api" and line["status"] == 200]
        self.assertEqual(len(asked), 9, asked)  # lockbox, fleets, devices of the fleet, and each device

    def test_the_list_can_be_narrowed_to_a_fleet(self):
        press, other = self.register("press-1"), self.register("press-2", fleet=False)
        noted = self.register("press-3", online=False)
        self.bring(self.says(press), self.says(other), self.says(Device("press-1"), counter=3))
        self.ok("reports", "note", noted.name, "a light was on")
        self.cloud.clear_log()
        wanted = [r["serial"] for r in self.ok("reports", "list", "--fleet", self.fleet)["reports"]]
        self.assertEqual(wanted, [press.serial, None])
        self.assertTrue([line for line in self.cloud.log() if line["origin"] == "api"])
        self.cloud.clear_log()
        exported = self.airlock("reports", "export", "--fleet", self.fleet, "--as", "csv").stdout.splitlines()[1:]
        self.assertEqual([press.serial in line for line in exported], [True, False])
        self.assertEqual([line for line in self.cloud.log() if line["origin"] == "api"], [], "it was asked a moment ago")
        self.offline()
        later = self.airlock("--json", "--at", "2999-01-01", "reports", "list", "--fleet", self.fleet)
        self.assertEqual(len(later.answer["reports"]), 2)
        self.assertIn("is shown as it was at", later.stderr)
        self.refuses(5, "http-status", "reports", "list", "--fleet", "another")

    def helper_report(self, number, previous, **what):
        folder = self.stick / "airlock/reports/whoever"
        folder.mkdir(parents=True, exist_ok=True)
        report = make_reports.report(number, previous, manifest=None, device="whoever",
                                     lockbox={"name": LOCKBOX, "version": 1}, **what)
        (folder / f"{number}.json").write_bytes(make_reports.signed(report))
        self.ok("reports", "collect", self.stick)

    def test_a_helper_whose_key_is_enrolled_names_the_ecus_of_its_device(self):
        press = self.register("press-1")
        ecus = [{"serial": "unknown", "hardware_id": "x", "key": None},
                {"serial": press.serial, "hardware_id": HARDWARE, "key": None}]
        self.helper_report(1, None, ecus=ecus)
        self.assertEqual(self.of_fleet(4)[1]["press-1"]["state"], "not heard of", "anybody can say so")
        self.ok("reports", "key", "add", "the helper in hall 3", make_reports.PUBLIC, "--helper")
        _, machines = self.of_fleet(0)
        self.assertEqual((machines["press-1"]["state"], machines["press-1"]["ledger"]["proof"]), ("done", "verified"))

    def test_a_stick_that_is_refused_later_takes_nothing_back(self):
        press = self.register("press-1")
        self.enrol(press, "press-1")
        self.ok("reports", "key", "add", "press-1", make_reports.PUBLIC, "--helper")
        self.bring(self.says(press))
        ecus = [{"serial": press.serial, "hardware_id": HARDWARE, "key": None}]
        self.helper_report(1, None, ecus=ecus, outcome="refused", source="helper", error="expired-role")
        self.assertEqual(self.of_fleet(0)[1]["press-1"]["state"], "done")

    def test_a_helper_and_the_client_of_one_device_are_one_machine_without_a_cloud(self):
        press = self.register("press-1", fleet=False)
        self.ok("reports", "key", "add", "the press", make_reports.PUBLIC, "--helper")
        self.bring(self.says(press))
        self.helper_report(1, None, ecus=[{"serial": press.serial, "hardware_id": HARDWARE, "key": None}])
        self.offline()
        machines = self.airlock("--json", "reports", "status", "--lockbox", LOCKBOX).answer["machines"]
        self.assertEqual([(m["machine"], m["state"]) for m in machines], [("the press", "done")])


if __name__ == "__main__":
    scenario.main()
