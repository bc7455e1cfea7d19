#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on the way: healed where it can be, else reported, and never taken for the real bytes."""

import scenario
from scenario import Scenario, names

STORE = "^GET store/"
RECIPES = 8 << 20


class Network(Scenario):
    def setUp(self):
        super().setUp()
        self.login()
        self.cloud.clear_log()

    def asked_for_parts(self):
        return [entry for entry in self.cloud.targets_asked_for() if entry["range"]]

    def fetch_heals(self):
        self.ok("fetch", "pump-7")
        self.assert_kept("pump-7")
        self.assertEqual(names(self.cache / "partial"), [])

    def fetch_fails(self, code, error, **how):
        outcome = self.refuses(code, error, "prepare", "pump-7", self.stick, says="lockbox 'pump-7'", **how)
        self.assert_nothing_kept("pump-7")
        self.assert_stick_is_empty()
        return outcome

    # What heals.

    def test_a_cut_body_goes_on_by_range(self):
        self.fault(STORE, "cut", "at=100000", times=3)
        self.fetch_heals()
        self.assertIn("bytes=100000-", [entry["range"] for entry in self.asked_for_parts()])

    def test_a_body_that_is_cut_again_and_again_is_whole_in_the_end(self):
        self.fault(STORE, "cut", "at=1500000", times=8)
        self.fetch_heals()
        self.assertGreaterEqual(len(self.asked_for_parts()), 5)

    def test_a_server_that_ignores_or_confuses_ranges_is_asked_anew(self):
        for kind in ("ignore-range", "bad-content-range", "new-etag"):
            with self.subTest(kind=kind):
                self.forget_what_went_wrong()
                self.fault(STORE, "cut", "at=100000", times=3)
                self.fault(STORE, kind, times=3)
                self.ok("--store", self.home / kind, "fetch", "pump-7")

    def test_a_connection_that_is_reset_is_made_again(self):
        self.fault(STORE, "reset", times=2)
        self.fault("^GET gateway/.*snapshot.json", "reset", times=1)
        self.fetch_heals()

    def test_a_server_that_stops_sending_is_asked_for_the_rest(self):
        self.fault(STORE, "stall", "at=200000", times=1)
        self.fetch_heals()
        self.assertEqual(len(self.asked_for_parts()), 1)

    def test_requests_to_slow_down_are_obeyed(self):
        for code in (420, 429, 503):
            with self.subTest(code=code):
                self.forget_what_went_wrong()
                self.cloud.clear_log()
                self.fault("^GET gateway/.*offline-snapshot", "status", f"code={code}", "retry-after=2",
                           times=1)
                self.ok("fetch", "pump-7")
                asked = [entry for entry in self.cloud.log() if "offline-snapshot" in entry["path"]]
                self.assertEqual([entry["status"] for entry in asked], [code, 200])
                self.assertGreaterEqual(asked[1]["time"] - asked[0]["time"], 1.9)

    def test_a_date_to_come_back_at_is_obeyed(self):
        self.fault(STORE, "status", "code=503", "retry-after=date:2", times=1)
        self.fetch_heals()

    def test_a_token_that_ends_in_the_middle_is_renewed_once(self):
        self.fault("^GET gateway/.*snapshot.json", "delay", "seconds=1", times=1)
        process = self.start("--json", "fetch", "pump-7")
        self.wait_until(lambda: any(entry["origin"] == "token" for entry in self.cloud.log()), "a login")
        self.cloud.tell("expire-tokens")
        outcome = self.finish(process)
        self.assertEqual(outcome.code, 0, str(outcome))
        self.assertIn(401, [entry["status"] for entry in self.cloud.log()])
        self.assertEqual(len([e for e in self.cloud.log() if e["origin"] == "token"]), 2)

    def test_a_byte_flipped_once_is_fetched_again(self):
        self.fault(STORE, "flip", "at=1000", times=1)
        self.fetch_heals()
        self.assertEqual(len(self.cloud.targets_asked_for()), 4)

    # What does not.

    def test_a_byte_that_is_always_flipped_is_refused(self):
        self.fault(STORE, "flip", "at=1000")
        self.fetch_fails(3, "wrong-hash")
        self.assertEqual(len(self.cloud.targets_asked_for()), 6, "each package is tried twice")

    def test_a_server_that_lies_about_the_length_is_refused(self):
        for kind in ("longer", "shorter", "endless"):
            with self.subTest(kind=kind):
                self.forget_what_went_wrong()
                self.fault(STORE, kind)
                self.fetch_fails(3, "wrong-length")
                held = sum(path.stat().st_size for path in scenario.files_beneath(self.cache))
                self.assertLessEqual(held, 9 << 20, "more was kept than is signed")

    def test_roles_that_were_changed_on_the_way_are_refused(self):
        self.fault("^GET gateway/.*pump-7.json", "flip", "at=300")
        outcome = self.airlock("--json", "fetch", "pump-7")
        self.assertEqual(outcome.code, 3, str(outcome))
        self.assertIn("pump-7.json", outcome.stderr)
        self.assert_nothing_kept("pump-7")

    def test_a_role_without_an_end_is_cut_off(self):
        self.fault("^GET gateway/.*offline-snapshot", "endless")
        self.fetch_fails(3, "too-large")

    def test_redirects_to_where_no_request_may_go(self):
        for fault in (["redirect-plain"], ["redirect-loop"], ["redirect", "to=file:///etc/passwd"]):
            with self.subTest(fault=fault):
                self.forget_what_went_wrong()
                self.fault(STORE if fault == ["redirect-loop"] else "^GET gateway/.*/targets/", *fault)
                self.fetch_fails(5, "bad-redirect")

    def test_a_redirect_takes_no_login_along(self):
        elsewhere = self.cloud.env["REHEARSAL_FEED_URL"] + "/x"
        self.fault("^GET gateway/.*offline-snapshot", "redirect", f"to={elsewhere}")
        self.fetch_fails(3, "missing-role")
        asked = [entry["authorization"] for entry in self.cloud.log() if entry["origin"] == "feed"]
        self.assertEqual(set(asked), {False})

    def test_a_server_that_keeps_failing_is_reported(self):
        self.fault(STORE, "status", "code=503")
        self.fetch_fails(5, "http-status")
        self.assertGreaterEqual(len(self.cloud.targets_asked_for()), 6)

    def test_a_server_that_asks_to_wait_for_long_is_not_waited_for(self):
        self.fault("^GET gateway/", "status", "code=429", "retry-after=3600")
        self.assertIn("60 minutes", self.fetch_fails(5, "rate-limited", within=20).stderr)

    def test_a_login_that_is_refused_in_the_middle_ends_the_run(self):
        self.fault("^GET gateway/.*/targets/", "status", "code=401")
        self.fetch_fails(5, "login-refused")

    def test_what_the_login_has_no_right_to_is_said(self):
        self.fault("^GET gateway/.*/targets/", "status", "code=403")
        self.fetch_fails(5, "not-allowed")

    def test_package_bytes_that_are_gone_are_named(self):
        self.fault("^GET gateway/.*/targets/pump-controller", "status", "code=404")
        self.assertIn("pump-controller-2.4.1", self.fetch_fails(5, "no-such-file").stderr)

    def test_another_ca_is_refused(self):
        other = scenario.Cloud(self.home / "other", "--keys", "ed25519")
        self.addCleanup(other.stop)
        self.refuses(5, "tls", "--cacert", other.ca, "fetch", "pump-7", says="pump-7")
        self.assert_nothing_kept("pump-7")

    def test_a_server_that_does_not_answer_is_named(self):
        config = self.config / "config"
        gateway = self.cloud.env["REHEARSAL_REPO_URL"].rpartition("/")[0]
        config.write_text(config.read_text().replace(gateway, "https://localhost:1"))
        self.fetch_fails(5, "network")


if __name__ == "__main__":
    scenario.main()
