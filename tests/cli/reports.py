#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""reports: what devices left on a stick comes to the ledger, and nothing more is said of it than what they signed.
The manifests and the logs are made by Python's cryptography and SQLite (tests/client)."""

import base64
import csv
import hashlib
import html.parser
import io
import json
import sys

import scenario
from scenario import Scenario, tree

sys.path.insert(0, str(scenario.TESTS / "client"))
sys.path.insert(0, str(scenario.TESTS / "interop"))
import make_reports  # noqa: E402
from client import Device, Ecu, Log  # noqa: E402

HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202e"


class Page(html.parser.HTMLParser):
    """What a browser finds in a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.cells = set(), set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.cells.append(data)


class Reports(Scenario):
    def setUp(self):
        super().setUp()
        self.pump = Device("pump-7", "rsa", secondaries=[Ecu()])
        self.press = Device("press-line")
        self.log = self.stick / "update/update-logs.db"

    def collect(self, code=0, **how):
        outcome = self.airlock("--json", "reports", "collect", self.stick, **how)
        self.assertEqual(outcome.code, code, str(outcome))
        return outcome.answer

    def list(self, *options):
        return self.ok("reports", "list", *options)["reports"]

    def enrol(self, device, name, *options):
        file = self.home / f"{name}.key"
        file.write_text(device.public)
        return self.ok("reports", "key", "add", name, file, *options)

    def said(self, *options):
        """What a person reads first: device, outcome, proof."""
        return [(r["device"] or f'"{r["calls_itself"]}"', r["outcome"], r["proof"]) for r in self.list(*options)]

    # A stick with everything on it.

    def fill(self):
        good = self.pump.manifest(counter=42)
        forged = json.loads(self.pump.manifest(counter=43, code="INSTALL_FAILED"))
        forged["signed"]["installation_report"]["report"]["result"]["success"] = True
        with Log(self.log) as log:
            log.add(self.pump, good, counter=42, lines=["begin", "end"])
            log.add(self.press, self.press.manifest(counter=7, lockbox="press-line", version=3, code="INSTALL_FAILED",
                                                    description=f"no room {HOSTILE}"), lines=[HOSTILE])
            log.add("valve-9", None, name="valve-9", version=2, lines=["begin"])
            log.add(self.pump, json.dumps(forged))
            log.add(self.pump, good)
        return good

    def test_each_report_is_shown_as_what_it_is(self):
        self.fill()
        self.enrol(self.pump, "Pumpe 7")
        answer = self.collect()
        self.assertEqual((answer["files"], answer["added"], answer["known"], answer["problems"]), (1, 4, 1, []))
        self.assertEqual(self.said(), [("Pumpe 7", "installed", "verified"),
                                       ('"press-line"', "failed", "unverified"),
                                       ('"valve-9"', "in progress or interrupted", "unsigned"),
                                       ("Pumpe 7", "not known", "signature does not match")])
        failed = self.list()[1]
        self.assertEqual((failed["lockbox"], failed["version"], failed["code"], failed["counter"]),
                         ("press-line", 3, "INSTALL_FAILED", 7))

    def test_collecting_again_adds_nothing_and_changes_nothing_on_the_stick(self):
        self.fill()
        before = tree(self.stick)
        self.collect()
        first = self.list()
        answer = self.collect()
        self.assertEqual((answer["added"], answer["known"]), (0, 5))
        self.assertEqual(self.list(), first)
        self.assertEqual(tree(self.stick), before)

    def test_a_key_that_comes_later_verifies_what_came_before(self):
        self.fill()
        self.collect()
        self.assertEqual(self.said()[0], ('"pump-7"', "installed", "unverified"))
        self.assertEqual(self.said()[3], ('"pump-7"', "installed", "unverified"), "without a key nobody can tell")
        self.enrol(self.pump, "Pumpe 7")
        self.assertEqual(self.said()[0], ("Pumpe 7", "installed", "verified"))
        self.assertEqual(self.said()[3], ("Pumpe 7", "not known", "signature does not match"))

    def test_a_stranger_who_calls_himself_like_a_device_is_not_taken_for_it(self):
        self.enrol(self.pump, "pump-7")
        stranger = Device("pump-7")
        with Log(self.log) as log:
            log.add(stranger, stranger.manifest())
        self.collect()
        self.assertEqual(self.said(), [('"pump-7"', "installed", "unverified")])
        self.assertIn('"pump-7"', self.airlock("reports", "list").stdout)

    def test_an_older_counter_is_stale_and_a_forged_one_overtakes_nothing(self):
        self.enrol(self.pump, "pump-7")
        forged = json.loads(self.pump.manifest(counter=99))
        forged["signed"]["custom"] = 1
        with Log(self.log) as log:
            for manifest in (self.pump.manifest(counter=5), self.pump.manifest(counter=6), json.dumps(forged)):
                log.add(self.pump, manifest)
        self.collect()
        self.assertEqual([r["stale"] for r in self.list()], [True, False, False])
        self.assertEqual(len(self.list("--only", "stale")), 1)

    def test_an_install_is_under_way_until_its_report_comes(self):
        with Log(self.log) as log:
            row = log.add(self.pump, None)
        self.collect()
        self.assertEqual(self.said(), [('"pump-7"', "in progress or interrupted", "unsigned")])
        with Log(self.log) as log:
            log.db.execute("UPDATE installs SET manifest = ? WHERE id = ?", (self.pump.manifest(), row))
        self.collect()
        self.assertEqual(self.said(), [('"pump-7"', "installed", "unverified")])
        self.assertEqual(len(self.list("--all")), 2)

    def test_no_report_is_neither_success_nor_failure(self):
        outcome = self.airlock("reports", "list")
        self.assertIn("neither that a device installed nor that it failed", outcome.stdout)
        self.assertFalse(self.state.exists(), "looking makes nothing")
        self.assertEqual(self.collect()["files"], 0)
        self.assertEqual(self.list(), [])

    # Showing.

    def test_show_has_every_ecu_every_place_and_the_journal(self):
        self.fill()
        self.enrol(self.pump, "pump-7")
        self.collect()
        answer = self.ok("reports", "show", 1)
        ecus = {ecu["serial"]: (ecu["outcome"], ecu["proof"]) for ecu in answer["ecus"]}
        self.assertEqual(ecus, {self.pump.serial: ("installed", "verified"),
                                self.pump.secondaries[0].serial: ("installed", "unverified")})
        self.assertEqual([seen["row"] for seen in answer["sightings"]], [1, 5])
        self.assertEqual([line["message"] for line in answer["log"]], ["begin", "end"])
        self.refuses(2, "no-such-path", "reports", "show", 77, says="77")
        self.refuses(2, "usage", "reports", "show", "x", says="'x'")

    def test_hostile_text_reaches_no_terminal(self):
        self.fill()
        self.collect()
        for words in (["list"], ["show", 2], ["export", "--as", "csv"], ["export"]):
            self.assertEqual(self.airlock("reports", *words).code, 0)  # and run() looks for control characters
        self.assertIn(r"\x1b[2J", self.airlock("reports", "show", 2).stdout)
        self.assertEqual(self.ok("reports", "show", 2)["text"], f"no room {HOSTILE}")

    def test_the_table_fits_a_terminal(self):
        with Log(self.log) as log:
            log.add("ä" * 300, None, name="x" * 200, version=2)
            log.add(self.press, self.press.manifest(code="VERIFICATION_FAILED", lockbox="a" * 60))
        self.collect()
        for line in self.airlock("reports", "list").stdout.splitlines():
            self.assertLessEqual(len(line), 80, line)

    def test_the_list_is_filtered(self):
        self.fill()
        self.enrol(self.pump, "Pumpe 7")
        self.collect()
        for options, ids in ((["--device", "Pumpe 7"], [1, 4]), (["--device", "press-line"], [2]),
                             (["--device", self.press.serial], [2]), (["--lockbox", "valve-9"], [3]),
                             (["--only", "failed"], [2]), (["--only", "verified"], [1]), (["--only", "forged"], [4]),
                             (["--only", "in-progress"], [3]), (["--until", "2020-01-01"], []),
                             (["--since", "2020-01-01"], [1, 2, 3, 4])):
            self.assertEqual([r["id"] for r in self.list(*options)], ids, options)
        self.refuses(2, "usage", "reports", "list", "--only", "well", says="'well'")

    # Hostile sticks.

    def test_every_folder_is_looked_into_and_a_broken_log_stops_nothing(self):
        self.fill()
        for name in ("a", "b/c/d", "hidden/.e"):
            (self.stick / name).mkdir(parents=True)
        (self.stick / "a/update-logs.db").write_bytes(b"nonsense" * 100)
        (self.stick / "b/update-logs.db").symlink_to("/etc/passwd")
        with open(self.stick / "b/c/update-logs.db", "wb") as file:
            file.truncate(3 << 30)
        (self.stick / "loop").symlink_to(".")
        with Log(self.stick / "hidden/.e/update-logs.db") as log:
            log.add("deep", None)
            log.db.execute("INSERT INTO installs(device_id, manifest) VALUES('x', x'00'), ('y', '{}')")
        answer = self.collect(code=7)
        (self.stick / "b/c/update-logs.db").unlink()  # or the search for secrets would read it
        self.assertEqual((answer["files"], answer["added"], answer["problem_count"]), (5, 5, 5))
        self.assertEqual({(p["path"], p["id"]) for p in answer["problems"]},
                         {("a/update-logs.db", "bad-update-log"), ("b/update-logs.db", "unsafe-name"),
                          ("b/c/update-logs.db", "too-large"), ("hidden/.e/update-logs.db", "bad-update-log"),
                          ("hidden/.e/update-logs.db", "bad-vehicle-manifest")})
        self.assertIn('"deep"', [device for device, *_ in self.said()])

    def test_a_flood_of_rows_is_cut_and_told(self):
        with Log(self.log) as log:
            log.db.execute("INSERT INTO installs(device_id) WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 "
                           "FROM n WHERE i<12000) SELECT 'd' FROM n")
        answer = self.collect(code=7)
        self.assertEqual((answer["added"], [p["id"] for p in answer["problems"]]), (10000, ["too-large"]))

    def test_a_flood_of_files_is_cut_and_told_once(self):
        self.fill()
        folder = self.stick / "airlock/reports/pump-7"
        folder.mkdir(parents=True)
        for i in range(10001):
            (folder / f"{i}.json").touch()
        answer = self.collect(code=7)
        self.assertEqual((answer["files"], answer["problem_count"]), (10000, 10001))
        ids = [problem["id"] for problem in answer["problems"]]
        self.assertEqual((len(ids), len(set(ids)), ids.count("too-large")), (11, 2, 1))
        outcome = self.airlock("reports", "collect", self.stick)
        self.assertEqual(outcome.stdout.count("not read"), 12, str(outcome))
        self.assertIn("and 9990 more", outcome.stdout)

    def test_a_stick_that_is_not_there_is_named(self):
        self.refuses(2, "no-such-path", "reports", "collect", self.home / "none", says="none")

    # The helper's reports.

    def put_helper_report(self, sequence, previous, **changes):
        """Returns the hash that the next one names."""
        folder = self.stick / "airlock/reports/pump-7"
        folder.mkdir(parents=True, exist_ok=True)
        what = make_reports.report(sequence, previous, **changes)
        (folder / f"{sequence}.json").write_bytes(make_reports.signed(what))
        return hashlib.sha256(make_reports.compact(what).encode()).hexdigest()

    def test_a_helper_report_is_verified_by_an_enrolled_key_and_chained(self):
        first = self.put_helper_report(1, None, manifest=None)
        self.put_helper_report(2, first, manifest=None, outcome="refused", error="rollback")
        self.put_helper_report(4, "5a" * 32, manifest=None)
        self.put_helper_report(5, "00" * 32, manifest=None)
        self.collect()
        self.assertEqual({r["proof"] for r in self.list()}, {"signed by an unknown key"})
        self.assertEqual([r["chain"] for r in self.list()], ["whole", "whole", "gap", "broken"])
        self.ok("reports", "key", "add", "pump-7", make_reports.PUBLIC, "--helper")
        self.assertEqual(self.said()[1], ("pump-7", "refused", "verified"))

    def test_a_manifest_in_a_helper_report_is_verified_by_the_key_that_came_with_it(self):
        ecus = [{"serial": self.press.serial, "hardware_id": "x",
                 "key": {"keytype": "ED25519", "public": self.press.public}},
                {"serial": "chosen", "hardware_id": "y", "key": {"keytype": "ED25519", "public": self.press.public}}]
        manifest = base64.b64encode(self.press.manifest().encode()).decode()
        self.put_helper_report(1, None, manifest=manifest, ecus=ecus)
        self.collect()
        self.assertEqual(self.said("--only", "verified"), [('"pump-7"', "installed", "verified")])
        self.assertEqual([key["serial"] for key in self.ok("reports", "key", "list")["keys"]], [self.press.serial],
                         "a key whose id is not the serial is for a person to enrol")

    def test_a_changed_helper_report_is_refused(self):
        self.put_helper_report(1, None, manifest=None)
        file = self.stick / "airlock/reports/pump-7/1.json"
        good = file.read_bytes()
        for bad, error in ((good.replace(b"installed", b"failed"), "bad-signature"), (good[:-9], "bad-report"),
                           (b"{}", "bad-report")):
            file.write_bytes(bad)
            self.assertEqual([p["id"] for p in self.collect(code=7)["problems"]], [error])
        self.assertEqual(self.list(), [])

    # Keys and notes.

    def test_a_key_is_enrolled_for_a_serial_that_is_not_its_id(self):
        named = Device("press", serial="press-3")
        with Log(self.log) as log:
            log.add(named, named.manifest())
        self.collect()
        self.assertEqual(self.said(), [('"press"', "installed", "signed by an unknown key")])
        self.enrol(named, "Presse", "--serial", "press-3")
        self.assertEqual(self.said(), [("Presse", "installed", "verified")])

    def test_what_is_no_key_is_refused(self):
        (self.home / "bad.pem").write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
        for error, code, key in (("usage", 2, "none"), ("bad-key", 3, self.home / "bad.pem")):
            self.refuses(code, error, "reports", "key", "add", "x", key)
        self.refuses(2, "usage", "reports", "key", "add", "x", "ab" * 32, "--helper", "--serial", "y")
        self.refuses(2, "usage", "reports", "key", "add", "", "ab" * 32)
        self.assertEqual(self.ok("reports", "key", "list")["keys"], [])

    def test_a_note_is_what_a_technician_says(self):
        self.ok("reports", "note", "pump-9", f"green light {HOSTILE}", "--lockbox", "pump-7", "--result", "installed")
        self.ok("reports", "note", "pump-9", "panel open")
        self.assertEqual(self.said(), [('"pump-9"', "installed", "technician-reported"),
                                       ('"pump-9"', "not known", "technician-reported")])
        self.refuses(2, "usage", "reports", "note", "pump-9", "x", "--result", "good", says="'good'")
        self.refuses(3, "unsafe-name", "reports", "note", "pump-9", "x", "--lockbox", "../x")
        self.assertEqual(self.airlock("reports", "show", 1).code, 0)

    # To other programs and laptops.

    def test_a_manifest_is_exported_byte_for_byte(self):
        good = self.fill()
        self.collect()
        self.assertEqual(self.airlock("reports", "export", "--as", "manifest", 1).stdout, good)
        self.refuses(2, "usage", "reports", "export", "--as", "manifest")
        self.refuses(2, "usage", "reports", "export", "--as", "manifest", 3, says="report 3")
        self.refuses(2, "no-such-path", "reports", "export", "--as", "manifest", 77)

    def test_csv_is_read_by_other_programs_and_holds_no_formula(self):
        with Log(self.log) as log:
            log.add('=cmd|"x",y', None)
        self.collect()
        rows = list(csv.DictReader(io.StringIO(self.airlock("reports", "export", "--as", "csv").stdout)))
        self.assertEqual([(row["calls_itself"], row["outcome"]) for row in rows],
                         [('\'=cmd|"x",y', "in progress or interrupted")])

    def test_a_page_for_the_customer_is_all_text_and_loads_nothing(self):
        evil = "<script src='http://x/'>alert(1)</script>\"><img src=x onerror=y>&amp;"
        with Log(self.log) as log:
            log.add(evil, self.press.manifest(code="INSTALL_FAILED", description=evil), lines=[evil])
            log.add("valve-9", None)
        self.collect()
        self.ok("reports", "note", evil, evil)
        page = Page(self.airlock("reports", "export", "--html").stdout)
        self.assertLessEqual(page.tags, {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "em", "table",
                                         "tr", "th", "td"})
        self.assertEqual(page.attributes, {"lang", "charset", "http-equiv", "content"})
        self.assertGreaterEqual(page.cells.count(evil), 3)
        self.assertIn("in progress or interrupted", page.cells)
        self.assertNotIn("valve-9", self.airlock("reports", "export", "--html", 1).stdout)
        self.refuses(2, "no-such-path", "reports", "export", "--html", 77)
        self.refuses(2, "usage", "reports", "export", "--html", "--as", "csv")

    def test_another_laptop_imports_all_and_judges_by_its_own_keys(self):
        self.fill()
        self.put_helper_report(1, None, manifest=None)
        self.ok("reports", "note", "pump-9", "green light", "--result", "installed")
        self.enrol(self.pump, "Pumpe 7")
        self.collect()
        file = self.home / "all.jsonl"
        file.write_text(self.airlock("reports", "export").stdout)
        other = ["--state", self.home / "other"]
        count = len(self.list("--all"))
        self.assertEqual(self.ok(*other, "reports", "import", file), {"schema": 1, "added": count, "known": 0, "failed": 0})
        self.assertEqual(self.ok(*other, "reports", "import", file)["known"], count)
        theirs = self.ok(*other, "reports", "list", "--all")["reports"]
        self.assertEqual({r["sha256"] for r in theirs}, {r["sha256"] for r in self.list("--all")})
        self.assertNotIn("verified", {r["proof"] for r in theirs}, "keys do not travel with reports")
        self.assertEqual(self.ok(*other, "reports", "show", 2)["log"], self.ok("reports", "show", 2)["log"])

    def test_a_wrong_line_of_an_import_costs_only_itself(self):
        self.fill()
        self.collect()
        lines = self.airlock("reports", "export").stdout.splitlines()
        first = json.loads(lines[0])
        bad = ["", "{", "[]", json.dumps(first | {"bytes": "e30="}), json.dumps(first | {"kind": "helper"}),
               json.dumps(first | {"kind": "x"}), json.dumps(first | {"schema": 2}), json.dumps(first | {"bytes": "!"}),
               json.dumps(first | {"sightings": []}), json.dumps(first | {"lines": [5]})]
        file = self.home / "all.jsonl"
        file.write_text("\n".join([*bad, *lines]) + "\n")
        outcome = self.airlock("--json", "--state", self.home / "other", "reports", "import", file)
        self.assertEqual((outcome.code, outcome.answer["failed"]), (7, len(bad)), str(outcome))
        self.assertEqual(len(self.ok("--state", self.home / "other", "reports", "list", "--all")["reports"]), 4)
        self.refuses(2, "no-such-path", "reports", "import", self.home / "none")

    # Which lockbox.

    def test_the_lockbox_of_a_report_is_held_against_the_one_that_was_fetched(self):
        self.login()
        self.ok("prepare", "pump-7", self.stick)
        mine = self.ok("verify", self.bundle())["correlation_id"]
        with Log(self.log) as log:
            for correlation in (mine, mine[:-12] + "0" * 12, mine.replace(":1:", ":2:"), "urn:x"):
                log.add(self.pump, self.pump.manifest(correlation=correlation))
        self.collect()
        self.assertEqual([self.ok("reports", "show", i)["revision"] for i in (1, 2, 3, 4)],
                         ["same", "other", "unknown", "unknown"])
        self.assertIn("the one that this computer fetched\n", self.airlock("reports", "show", 1).stdout)
        self.assertEqual(self.list()[3]["lockbox"], None)

    # Writing collects first.

    def test_writing_to_a_stick_collects_what_lies_there_and_leaves_it_there(self):
        self.login()
        self.ok("prepare", "pump-7", self.stick, "--as", "plain")
        self.fill()
        before = self.log.read_bytes()
        outcome = self.airlock("write", "pump-7", self.stick, "--as", "plain")
        self.assertEqual(outcome.code, 0, str(outcome))
        self.assertIn("4 new reports", outcome.stderr)
        self.assertEqual(self.log.read_bytes(), before)
        self.assertEqual(len(self.list()), 4)
        again = self.airlock("write", "pump-7", self.stick)
        self.assertNotIn("new reports", again.stderr)

    def test_writing_to_an_empty_stick_makes_no_ledger(self):
        self.login()
        self.ok("prepare", "pump-7", self.stick)
        self.assertFalse((self.state / "reports").exists())

    def test_reports_that_cannot_be_read_do_not_hinder_the_writing(self):
        self.login()
        (self.stick / "update-logs.db").write_bytes(b"nonsense" * 100)
        outcome = self.airlock("prepare", "pump-7", self.stick)
        self.assertEqual(outcome.code, 0, str(outcome))
        self.assertIn("airlock reports collect", outcome.stderr)
        self.bundle()

    # The command line.

    def test_options_of_another_verb_are_refused(self):
        for words in (["list", "--as", "csv"], ["show", 1, "--all"], ["collect", self.stick, "--only", "failed"],
                      ["key", "list", "--serial", "x"]):
            self.refuses(2, "usage", "reports", *words, says="--")
        for words in (["frob"], ["key"], ["key", "frob"], ["collect"], ["show"], ["note", "x"], ["list", "x"]):
            self.refuses(2, "usage", "reports", *words)


if __name__ == "__main__":
    scenario.main()
