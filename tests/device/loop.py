#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""From the cloud over a stick to a device, and from the device over the stick to the ledger."""

import json
import os
import shutil
import sys
import time

from rehearsal_device import DeviceOnTheWay
import scenario
from client_database import PRIVATE
from scenario import tree

sys.path.insert(0, str(scenario.TESTS / "interop"))
import make_reports  # noqa: E402


class Loop(DeviceOnTheWay):
    def newest(self):
        return max(int(p.stem) for p in (self.stick / "airlock/reports/pump-7").iterdir())

    def collected(self):
        self.ok("reports", "collect", self.stick)
        return [(r["lockbox"], r["version"], r["outcome"], r["proof"]) for r in self.ok("reports", "list")["reports"]
                if r["lockbox"]]

    def test_the_whole_way(self):
        self.assertEqual(self.client.look()[0], "nothing")
        self.takes()
        self.assertEqual(self.client.look(), ("install", ""))
        self.assertEqual(self.report(), f"report 1 of pump-7: line version {self.version}: installed: OK\n")
        found = self.on_stick("reports/pump-7/1.json")
        self.assertEqual((found["outcome"], found["source"], found["previous"], found["signers_checked"]),
                         ("installed", "update-logs", None, False))
        self.ok("reports", "key", "add", "Pumpe-7", self.key, "--helper")
        self.assertIn(("line", self.version, "installed", "verified"), self.collected())

    def test_what_the_client_signed_is_verified_by_the_key_that_the_report_brings(self):
        self.takes()
        self.client.look()
        self.report()
        self.ok("reports", "collect", self.stick)
        proofs = {r["kind"]: r["proof"] for r in self.ok("reports", "list")["reports"]}
        self.assertEqual(proofs, {"manifest": "verified", "helper": "signed by an unknown key"})

    def test_the_result_is_waited_for(self):
        self.takes()
        process = self.device.start("report", self.stick, "--wait", 60)
        self.addCleanup(scenario.end, process)
        time.sleep(2)
        self.assertIsNone(process.poll(), "it did not wait")
        self.client.look(code="INSTALL_FAILED")
        code, stdout, stderr = self.finish_device(process)
        self.assertEqual((code, stdout),
                         (0, f"report 1 of pump-7: line version {self.version}: failed: INSTALL_FAILED\n"), stderr)

    def test_without_a_result_it_is_not_known_and_the_next_report_has_it(self):
        self.takes()
        self.assertIn("not known: the client has logged nothing", self.report())
        self.client.look()
        self.assertIn("report 2 of pump-7", self.report())
        self.assertIn("report 2 of pump-7", self.report(), "the same again is no new report")
        chain = [self.on_stick(f"reports/pump-7/{n}.json") for n in (1, 2)]
        self.assertEqual([r["outcome"] for r in chain], ["unknown", "installed"])
        self.assertIsNotNone(chain[1]["previous"])
        self.assertEqual(len(list((self.stick / "airlock/reports/pump-7").iterdir())), 2)
        answer = self.ok("reports", "collect", self.stick)
        self.assertEqual(answer["problems"], [])

    def test_a_client_without_a_log_is_believed_by_what_it_remembers(self):
        for how, expected in (({"logs": False}, ("installed", "OK")),
                              ({"logs": False, "code": "INSTALL_FAILED", "keeps_result": True},
                               ("failed", "INSTALL_FAILED")),
                              ({"logs": False, "code": "NEED_COMPLETION", "keeps_result": True},
                               ("unknown", "NEED_COMPLETION"))):
            with self.subTest(expected):
                self.device.forget()
                self.takes()
                self.assertEqual(self.client.look(**how), ("install", ""))
                self.report()
                said = self.on_stick(f"reports/pump-7/{self.newest()}.json")
                self.assertEqual((said["outcome"], said["message"], said["source"], said["manifest"]),
                                 (*expected, "client", None))

    def test_the_client_refuses_on_its_own_and_logs_nothing(self):
        self.takes()
        target = self.device.update / "images/large-1"
        target.write_bytes(target.read_bytes()[:-1] + b"\0")
        self.assertEqual(self.client.look()[0], "refuse")
        role = self.device.update / "metadata/director/line.json"
        role.write_text(role.read_text().replace('"version"', '"versiom"', 1))
        self.assertEqual(self.client.look()[0], "refuse")
        self.assertFalse((self.device.update / "update-logs.db").exists())

    def test_a_report_that_was_lost_comes_with_the_next_stick(self):
        self.takes()
        self.report()
        self.client.look()
        shutil.rmtree(self.stick / "airlock/reports")
        self.report()
        self.assertEqual(sorted(p.name for p in (self.stick / "airlock/reports/pump-7").iterdir()), ["1.json", "2.json"])

    def test_the_request_is_the_devices_state_and_is_numbered(self):
        for number in (1, 2):
            self.report()
            request = self.on_stick("requests/pump-7.json")
            self.assertEqual((request["type"], request["sequence"]), ("request", number))
        self.assertEqual([e["hardware_id"] for e in request["state"]["ecus"]], ["large-mcu"])
        state = self.home / "state.json"
        state.write_text(json.dumps(request["state"]))
        self.assertEqual(self.ok("verify", self.bundle(), "--device", state)["verdict"], "install")

    def test_a_request_is_believed_by_its_enrolled_key_and_not_an_older_one(self):
        requests = []
        for _ in range(2):
            self.report()
            requests.append(self.home / f"request-{len(requests) + 1}.json")
            shutil.copy(self.stick / "airlock/requests/pump-7.json", requests[-1])
        self.refuses(3, "request-unknown", "verify", self.bundle(), "--device", requests[0], says=self.key)
        for command in ("verify", "inspect"):
            self.ok(command, self.bundle(), "--device", requests[0], "--trust-request")
        self.ok("reports", "key", "add", "Pumpe-7", self.key, "--helper")
        outcome = self.airlock("verify", self.bundle(), "--device", requests[0])
        self.assertEqual(outcome.code, 0, str(outcome))
        self.assertIn("request 1 of 'pump-7'", outcome.stderr)
        self.assertIn("0 days ago", outcome.stderr)
        self.ok("write", "line", self.home, "--dry-run", "--device", requests[1])
        self.refuses(3, "request-old", "verify", self.bundle(), "--device", requests[0])
        changed = json.loads(requests[1].read_text())
        changed["signed"]["state"]["ecus"][0]["hardware_id"] = "another"
        requests[1].write_text(json.dumps(changed))
        self.refuses(3, "bad-signature", "verify", self.bundle(), "--device", requests[1], "--trust-request")
        self.refuses(3, "bad-signature", "write", "line", self.home / "x.lockbox", "--base", requests[1])
        self.refuses(3, "request-old", "write", "line", self.home / "x.lockbox", "--base", requests[0])

    def test_the_keys_of_the_ecus_come_home_and_verify_the_clients_word(self):
        """Nobody enrolled a key: the manifest is verified by the one that came, whose id is the serial."""
        self.takes()
        self.client.look()
        self.report()
        [ecu] = self.on_stick("reports/pump-7/1.json")["ecus"]
        self.assertEqual(ecu, {"serial": self.client.ecu.serial, "hardware_id": "large-mcu",
                               "key": {"keytype": "ED25519", "public": self.client.ecu.public}})
        shutil.copy(self.device.update / "update-logs.db", self.stick)
        self.ok("reports", "collect", self.stick)
        self.assertEqual([r["proof"] for r in self.ok("reports", "list")["reports"] if r["kind"] == "manifest"], ["verified"])

    def test_a_database_that_cannot_be_used_is_gone_without(self):
        self.takes()
        self.client.look()
        self.report()
        good = self.client.database.read_bytes()
        self.client.database.write_bytes(b"no database" * 1000)
        self.goes_without("'/var/sota/sql.db'")
        for change in ("UPDATE installed_versions SET sha256 = 'abc'",
                       "UPDATE installed_versions SET custom_meta = '{\"hardwareIds\":[1]}'",
                       "INSERT INTO ecus VALUES(7, 'another', 'large-mcu', 1)",
                       "UPDATE ecus SET serial = hex(zeroblob(2000))",
                       "UPDATE meta SET meta = '[]' WHERE meta_type = 2",
                       "INSERT INTO delegations VALUES('{}', 'some')"):
            with self.subTest(change):
                self.client.database.write_bytes(good)
                with self.client.remember() as memory:
                    memory.db.execute(change)
                self.goes_without("")
        self.client.database.unlink()
        os.mkfifo(self.client.database)
        self.goes_without("it is no file")
        self.assertEqual(self.newest(), 1, "nothing of this is news of the lockbox")

    def goes_without(self, says):
        code, stdout, stderr = self.run_device("report", self.stick)
        self.assertEqual(code, 0, stderr)
        self.assertRegex(stderr, f"without what the client remembers: .*{says}")
        self.assertNotIn("stored", self.on_stick("requests/pump-7.json")["state"])

    def test_what_is_no_key_is_not_said(self):
        self.takes()
        self.client.look()
        with self.client.remember() as memory:
            memory.db.execute("UPDATE primary_keys SET public = 'no key'")
        self.report()
        self.assertEqual([ecu["key"] for ecu in self.on_stick("reports/pump-7/1.json")["ecus"]], [None])

    def test_a_transaction_of_the_client_is_waited_for(self):
        self.takes()
        self.client.look()
        with self.client.remember() as memory:
            memory.db.execute("BEGIN EXCLUSIVE")
            process = self.device.start("report", self.stick)
            self.addCleanup(scenario.end, process)
            time.sleep(1)
            self.assertIsNone(process.poll())
        self.assertEqual(self.finish_device(process)[0], 0)
        self.assertIn("stored", self.on_stick("requests/pump-7.json")["state"])

    def test_a_report_is_no_request(self):
        self.takes()
        self.report()
        self.refuses(2, "usage", "verify", self.bundle(), "--device", self.stick / "airlock/reports/pump-7/1.json")

    def test_no_private_key_leaves_the_device(self):
        self.takes()
        self.client.look()
        self.report()
        private = (self.device.update.parent / "device.key").read_bytes().strip().split(b":")[-1]
        self.assertEqual((self.device.update.parent / "device.key").stat().st_mode & 0o777, 0o600)
        for path, content in tree(self.stick).items():
            self.assertNotIn(private, content, path)
            self.assertNotIn(PRIVATE.encode(), content, path)
        self.assertEqual([n for n in tree(self.stick) if n.endswith(".db")], [])

    def test_another_device_of_the_same_name_is_not_overwritten(self):
        other = self.stick / "airlock/reports/pump-7/1.json"
        other.parent.mkdir(parents=True)
        others = make_reports.signed(make_reports.report(1, None))
        other.write_bytes(others)
        self.assertIn("called 'pump-7'", self.report(code=2))
        self.assertEqual(other.read_bytes(), others)

    def test_what_was_pulled_or_rotted_on_the_way_is_written_anew(self):
        self.report()
        [file] = (self.stick / "airlock/reports/pump-7").iterdir()
        whole = file.read_bytes()
        for left in (b"", whole[:100], whole.replace(b"pump", b"pomp")):
            file.write_bytes(left)
            self.report()
            self.assertEqual(file.read_bytes(), whole)

    def test_without_a_key_or_a_name_it_says_so(self):
        (self.device.update.parent / "device.key").unlink()
        self.assertIn("airlock-device key", self.report(code=2))
        self.device.beneath("/etc/hostname").unlink()
        self.assertIn("/etc/hostname", self.report(code=2))

    def test_the_key_is_made_once(self):
        code, stdout, _ = self.run_device("key")
        self.assertEqual((code, stdout.splitlines()), (0, [self.key, self.fingerprint]))
        self.assertRegex(self.fingerprint, r"^fingerprint [A-Z2-7]{5}-")
        self.assertEqual(self.run_device("key", self.stick)[0], 2)

    def test_a_damaged_log_or_outbox_is_named(self):
        self.takes()
        (self.device.update / "update-logs.db").write_bytes(b"no database" * 100)
        self.assertIn("update-logs.db", self.report(code=3))
        (self.device.update / "update-logs.db").unlink()
        self.report()
        (self.device.update.parent / "reports/1.json").write_text("{}")
        self.assertIn("1.json", self.report(code=3))


if __name__ == "__main__":
    scenario.main()
