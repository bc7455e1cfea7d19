#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What a client that keeps no log has in its database, and what the device's journal says. The databases are SQLite's,
the journal is systemd's own and is read by its journalctl."""

import sqlite3

from rehearsal_device import DeviceOnTheWay
import scenario
import client
from client_database import PRIVATE
from journal import Journal
from scenario import tree


class Witnesses(DeviceOnTheWay):
    def setUp(self):
        super().setUp()
        self.takes()
        self.urn = client.urn("line", self.version)

    def said(self, number=1):
        self.report()
        report = self.on_stick(f"reports/pump-7/{number}.json")
        return report["outcome"], report["source"], report["message"]

    # The journal.

    def hear(self, *messages, **how):
        Journal(self.device.root).write(messages, **how)

    def test_without_a_log_and_a_database_the_journal_tells(self):
        self.hear("Event: AllDownloadsComplete, Result - Success", "Event: AllInstallsComplete, Result - OK", "something")
        self.assertEqual(self.said(), ("installed", "journal", "OK"))
        self.ok("reports", "collect", self.stick)
        [reading] = self.ok("reports", "list")["reports"]
        self.assertEqual((reading["lockbox"], reading["version"], reading["outcome"]), ("line", self.version, "installed"))

    def test_the_log_and_the_database_count_before_it(self):
        self.client.look(logs=False)
        self.hear("Event: AllInstallsComplete, Result - INSTALL_FAILED")
        self.assertEqual(self.said(), ("installed", "client", "OK"))

    def test_of_several_results_the_last_counts(self):
        self.hear("Event: AllInstallsComplete, Result - OK", "Event: AllInstallsComplete, Result - INSTALL_FAILED",
                  "Director metadata update failed: the cloud is far away")
        self.assertEqual(self.said(), ("failed", "journal", "INSTALL_FAILED"))

    def test_packages_that_the_client_could_not_read(self):
        self.hear("Event: AllDownloadsComplete, Result - Partial success")
        self.assertEqual(self.said()[:2], ("failed", "journal"))

    def test_that_the_client_did_not_take_the_roles_is_told_in_its_words_and_is_no_result(self):
        why = "Director metadata update failed: The offline snapshot has expired"
        self.hear(why, "Event: UpdateCheckComplete")
        self.assertEqual(self.said(), ("unknown", "journal", why))

    def test_what_waits_for_a_reboot_is_no_result(self):
        self.hear("Event: AllInstallsComplete, Result - NEED_COMPLETION")
        self.assertEqual(self.said(), ("unknown", "journal", "NEED_COMPLETION"))

    def test_lines_of_before_count_for_nothing(self):
        self.hear("Event: AllInstallsComplete, Result - OK", ago_s=3600)
        self.assertEqual(self.said()[:2], ("unknown", "helper"))

    def test_lines_of_another_unit_count_for_nothing(self):
        self.hear("Event: AllInstallsComplete, Result - OK", unit="docker.service")
        self.assertEqual(self.said()[:2], ("unknown", "helper"))

    def test_hostile_lines_are_left_out_and_long_ones_cut(self):
        self.hear("Event: AllInstallsComplete, Result - " + "\u00fc" * 2000, b"\xff\xfe", "two\nlines", "x" * 100000,
                  "Event: AllInstallsComplete, Result - \x1b[2J", b"Event: AllInstallsComplete, Result - \xff")
        self.assertEqual(self.said(), ("failed", "journal", "\u00fc" * 500))

    def test_it_is_asked_while_the_result_is_waited_for(self):
        process = self.device.start("report", self.stick, "--wait", 60)
        self.addCleanup(scenario.end, process)
        self.hear("Event: AllInstallsComplete, Result - OK")
        code, stdout, stderr = self.finish_device(process)
        self.assertEqual((code, stdout), (0, f"report 1 of pump-7: line version {self.version}: installed: OK\n"), stderr)

    def test_a_journal_that_cannot_be_asked_is_named(self):
        _, _, stderr = self.run_device("report", self.stick)
        self.assertIn("without the device's journal: the device has no '/usr/bin/journalctl'", stderr)
        self.device.write("/usr/bin/journalctl", "#!/bin/sh\nexit 1\n")
        self.device.beneath("/usr/bin/journalctl").chmod(0o755)
        found, _, stderr = self.run_device("report", self.stick)
        self.assertEqual(found, 0, stderr)
        self.assertRegex(stderr, r"without the device's journal: .*\[tool-failed\]")

    # A database that is not as it should be.

    def change(self, statement, *values):
        with sqlite3.connect(self.client.database) as db:
            db.execute(statement, values)
        db.close()

    def test_a_database_that_cannot_be_read_is_named_and_costs_nothing_else(self):
        self.client.look(logs=False)
        database = self.client.database
        whole = database.read_bytes()
        for damage in (lambda: database.write_bytes(b"no database" * 500),
                       lambda: database.write_bytes(whole[:len(whole) // 2]),
                       lambda: self.change("DROP TABLE device_installation_result"),
                       lambda: self.change("DROP TABLE ecus"),
                       lambda: self.change("UPDATE meta SET meta = 'no role'"),
                       lambda: self.change("INSERT INTO delegations VALUES(zeroblob(9000000), 'large')")):
            database.write_bytes(whole)
            damage()
            found, stdout, stderr = self.run_device("report", self.stick)
            self.assertEqual(found, 0, stderr)
            self.assertIn("not known", stdout)
            self.assertIn("without what the client remembers: '/var/sota/sql.db': ", stderr)

    def test_odd_results_in_it_are_shown_as_they_are_or_left_out(self):
        self.client.look(logs=False, code="INSTALL_FAILED", keeps_result=True)
        for column, values in (("correlation_id", (b"\xff" * 9, 12, "urn:" + "x" * 300000, self.urn + "\0", "")),
                               ("result_code", (b"\xff\xfe", '"' * 500, "x" * 300000, "", '"\x1b[2J":1', 12))):
            for value in values:
                self.change(f"UPDATE device_installation_result SET correlation_id = ?, {column} = ?"
                            if column != "correlation_id" else "UPDATE device_installation_result SET correlation_id = ?",
                            *([self.urn, value] if column != "correlation_id" else [value]))
                found, stdout, stderr = self.run_device("report", self.stick)
                self.assertEqual(found, 0, stderr)
                self.assertIn("failed" if column != "correlation_id" or value == self.urn + "\0" else "not known", stdout)

    def test_nothing_secret_of_it_comes_home(self):
        self.client.look(logs=False)
        self.report()
        for path, content in tree(self.stick / "airlock").items():
            self.assertNotIn(PRIVATE.encode(), content, path)


if __name__ == "__main__":
    scenario.main()
