# SPDX-License-Identifier: Apache-2.0
"""The half of the self-test that is about the doors and the roles they serve."""

import base64
import io
import json
import time
import zipfile

from testclient import DIRECTOR, IMAGE, CloudTest, Rehearsal


class Tokens(CloudTest):
    def setUp(self):
        self.client_id = self.cloud.env["REHEARSAL_CLIENT_ID"]
        self.secret = self.cloud.env["REHEARSAL_CLIENT_SECRET"]

    def test_form_and_basic_both_get_a_token(self):
        basic = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        form = {"client_id": self.client_id, "client_secret": self.secret}
        for reply in (self.cloud.grant(form),
                      self.cloud.grant({}, {"Authorization": f"Basic {basic}"})):
            self.assertEqual(reply.status, 200)
            self.assertEqual(reply.json()["token_type"], "Bearer")
            self.assertEqual(reply.json()["expires_in"], 300)
            used = self.cloud.api("GET", "/lockboxes", token=reply.json()["access_token"])
            self.assertEqual(used.status, 200)

    def test_wrong_secret_is_refused_as_keycloak_does(self):
        reply = self.cloud.grant({"client_id": self.client_id, "client_secret": "wrong"})
        self.assertEqual(reply.status, 401)
        self.assertEqual(reply.json()["error"], "unauthorized_client")
        self.assertEqual(self.cloud.grant({"client_id": "x", "client_secret": "y"}).status, 401)
        self.assertEqual(self.cloud.grant({}, grant_type="password").status, 400)

    def test_each_client_opens_its_own_door_only(self):
        self.assertEqual(
            self.cloud.api("GET", "/lockboxes", token=self.cloud.uptane_token).status, 403)
        root = f"{DIRECTOR}/1.root.json"
        self.assertEqual(self.cloud.gateway(root, token=self.cloud.api_token).status, 403)
        self.cloud.ctl("set", "api-client-on-door-two", "yes")
        self.assertEqual(self.cloud.gateway(root, token=self.cloud.api_token).status, 200)
        self.cloud.ctl("set", "api-client-on-door-two", "no")

    def test_tokens_expire_by_time_and_on_demand(self):
        self.cloud.ctl("set", "token-lifetime", "1")
        short = self.cloud.token(self.client_id, self.secret)
        self.cloud.ctl("set", "token-lifetime", "300")
        self.assertEqual(self.cloud.api("GET", "/lockboxes", token=short).status, 200)
        time.sleep(1.1)
        self.assertEqual(self.cloud.api("GET", "/lockboxes", token=short).status, 401)
        self.assertEqual(self.cloud.api("GET", "/lockboxes").status, 200)
        self.assertGreater(self.cloud.ctl("expire-tokens")["expired"], 0)
        self.assertEqual(self.cloud.api("GET", "/lockboxes").status, 401)
        self.assertEqual(self.cloud.gateway(f"{DIRECTOR}/root.json").status, 401)
        self.cloud.renew_tokens()
        self.assertEqual(self.cloud.gateway(f"{DIRECTOR}/root.json").status, 200)


class PlatformApi(CloudTest):
    def test_lockboxes_are_listed_with_expired_and_empty_ones(self):
        self.assertEqual(self.cloud.api("GET", "/lockboxes").json(),
                         ["pump-7", "press-line", "valve-9"])
        details = self.cloud.api("GET", "/lockbox-details").json()
        self.assertEqual(details["valve-9"]["signed"]["targets"], {})
        self.assertEqual(len(details["pump-7"]["signed"]["targets"]), 3)
        self.assertEqual(self.cloud.api("GET", "/lockboxes/pump-7").json(), details["pump-7"])
        first = self.cloud.api("GET", "/lockboxes/valve-9?version=1").json()["signed"]
        self.assertEqual((first["version"], len(first["targets"])), (1, 1))
        self.assertEqual(self.cloud.api("GET", "/lockboxes/valve-9?version=9").status, 404)

    def test_a_lockbox_is_defined_replaced_and_deleted(self):
        packages = [p["packageId"] for p in self.cloud.api("GET", "/packages").json()["values"]]
        path = "/lockboxes/new-box_1"
        for version, ids in ((1, packages[:1]), (2, packages[:2])):
            reply = self.cloud.api("POST", path, {"packageIds": ids,
                                                  "expiresAt": "2031-01-02T03:04:05Z"})
            self.assertEqual(reply.status, 200)
            signed = self.cloud.api("GET", path).json()["signed"]
            self.assertEqual(signed["version"], version)
            self.assertEqual(signed["expires"], "2031-01-02T03:04:05Z")
            self.assertEqual(sorted(signed["targets"]), sorted(ids))
        snapshot = f"{DIRECTOR}/offline-snapshot.json"
        self.assertIn("new-box_1.json", self.cloud.gateway(snapshot).json()["signed"]["meta"])
        self.assertEqual(self.cloud.api("DELETE", path).status, 200)
        self.assertNotIn("new-box_1.json", self.cloud.gateway(snapshot).json()["signed"]["meta"])
        self.assertEqual(self.cloud.api("GET", path).status, 404)
        self.assertEqual(self.cloud.api("DELETE", path).status, 404)

    def test_errors_have_the_documented_body(self):
        for reply, status in (
                (self.cloud.api("GET", "/lockboxes/none"), 404),
                (self.cloud.api("POST", "/lockboxes/bad.name", {"packageIds": []}), 400),
                (self.cloud.api("POST", f"/lockboxes/{'n' * 254}", {"packageIds": []}), 400),
                (self.cloud.api("POST", "/lockboxes/x", {"packageIds": ["none-1"]}), 404),
                (self.cloud.api("POST", "/devices", {"deviceId": "pump-7-west"}), 409),
                (self.cloud.api("GET", "/devices?limit=-1"), 400)):
            self.assertEqual(reply.status, status)
            self.assertTrue({"msg", "code"} <= set(reply.json()), reply.body)

    def test_every_answer_tells_the_rate_limit_and_420_when_it_is_reached(self):
        reply = self.cloud.api("GET", "/lockboxes/none")
        for name in ("Limit", "Remaining", "Reset"):
            self.assertRegex(reply.headers[f"X-RateLimit-{name}"], r"^\d+$")
        self.cloud.ctl("set", "rate-limit", "1")
        limited = self.cloud.api("GET", "/lockboxes")
        self.cloud.ctl("set", "rate-limit", "100000")
        self.assertEqual(limited.status, 420)
        self.assertTrue(0 < int(limited.headers["Retry-After"]) <= 60)
        self.assertEqual(limited.headers["X-RateLimit-Remaining"], "0")

    def test_packages_are_paged_and_filtered(self):
        everything = self.cloud.api("GET", "/packages").json()
        self.assertEqual((everything["total"], everything["offset"]), (4, 0))
        page = self.cloud.api("GET", "/packages?offset=1&limit=2").json()
        self.assertEqual(page["values"], everything["values"][1:3])
        self.assertEqual((page["total"], page["limit"]), (4, 2))
        for query, name in (("hardwareIds=verdin-imx8mm", "bootloader/verdin-imx8mm"),
                            ("nameContains=recipe", "pump-recipes"),
                            ("packageSource=tdx-containers.json", "pump-recipes"),
                            ("packageIds=press-controller-1.9.0", "press-controller")):
            values = self.cloud.api("GET", f"/packages?{query}").json()["values"]
            self.assertEqual([package["name"] for package in values], [name])
        one = self.cloud.api("GET", "/packages/bootloader%2Fverdin-imx8mm-6.8.0").json()
        self.assertEqual(one["size"], 256 << 10)
        self.assertIn("tdx-containers", self.cloud.api("GET", "/packages_external/info").json())

    def test_devices_notes_names_components_and_fleets_keep_their_state(self):
        west = self.cloud.api("GET", "/devices?nameContains=west").json()["values"][0]
        path = west["deviceUuid"]
        notes = {"notes": "# Zeile\n\"quoted\" ✓"}
        self.assertEqual(self.cloud.api("PUT", f"/devices/notes/{path}", notes).status, 200)
        self.assertEqual(self.cloud.api("GET", f"/devices/notes/{path}").json(), notes)
        too_long = {"notes": "x" * 70_000}
        self.assertEqual(self.cloud.api("PUT", f"/devices/notes/{path}", too_long).status, 400)
        self.cloud.ctl("set", "notes-as-string", "yes")
        self.assertEqual(self.cloud.api("GET", f"/devices/notes/{path}").json(), notes["notes"])
        self.cloud.ctl("set", "notes-as-string", "no")
        self.cloud.api("PUT", f"/devices/name/{path}", {"name": "Renamed"})
        self.assertEqual(self.cloud.api("GET", f"/devices/name/{path}").json()["name"], "Renamed")
        components = self.cloud.api("GET", f"/devices/uptane/{path}/components").json()
        self.assertEqual([c["primary"] for c in components], [True, False])
        self.assertRegex(components[0]["id"], r"^[0-9a-f]{64}$")
        self.assertEqual(self.cloud.api("GET", f"/devices/uptane/{path}/assignment").json(), [])
        fleet = self.cloud.api("GET", "/fleets").json()["values"][0]
        members = self.cloud.api("GET", f"/fleets/{fleet['id']}/devices").json()
        self.assertIn(path, [device["deviceUuid"] for device in members["values"]])
        detail = self.cloud.api("GET", f"/devices/{path}").json()
        self.assertEqual(detail["deviceFleets"][0]["name"], "hall-3")
        assignment = [{"correlationId": "urn:x", "targets": {}, "inFlight": False}]
        self.cloud.ctl("device", "set", path, "--assignment", json.dumps(assignment))
        self.assertEqual(self.cloud.api("GET", f"/devices/uptane/{path}/assignment").json(),
                         assignment)

    def test_a_created_device_gets_its_credentials(self):
        reply = self.cloud.api("POST", "/devices", {"deviceId": "fresh-1"})
        self.assertEqual(reply.status, 200)
        with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
            self.assertTrue({"client.pem", "pkey.pem", "info.json"} <= set(archive.namelist()))
            uuid = json.loads(archive.read("info.json"))["deviceUuid"]
        self.assertEqual(self.cloud.api("GET", f"/devices/{uuid}").json()["deviceId"], "fresh-1")

    def test_the_account_holds_300_lockboxes_and_no_more(self):
        statuses = [self.cloud.api("POST", f"/lockboxes/many-{n}", {"packageIds": []}).status
                    for n in range(298)]
        self.assertEqual(statuses, [200] * 297 + [400])
        for n in range(297):
            self.cloud.api("DELETE", f"/lockboxes/many-{n}")


class SignedRoles(CloudTest):
    options = ("--seed", "demo", "--threshold", "director/root=2/3")

    def test_the_referee_finds_nothing_wrong_but_the_expired_lockbox(self):
        self.assertEqual(self.cloud.defects("pump-7"), set())
        self.assertEqual(self.cloud.defects("valve-9"), set())
        self.assertEqual(self.cloud.defects("press-line"),
                         {"director/lockbox:press-line: expired"})

    def test_served_bytes_are_not_canonical_and_keys_are_rsa_2048(self):
        for role, data in self.cloud.documents("pump-7").items():
            document = json.loads(data)
            self.assertNotEqual(data, json.dumps(document, sort_keys=True,
                                                 separators=(",", ":")).encode(), role)
            for key in document["signed"].get("keys", {}).values():
                self.assertEqual(key["keytype"], "RSA")
                self.assertEqual(len(key["keyval"]["public"]), 451)

    def test_thresholds_are_kept(self):
        root = self.cloud.gateway(f"{DIRECTOR}/1.root.json").json()
        self.assertEqual(root["signed"]["roles"]["root"]["threshold"], 2)
        self.assertEqual(len(root["signed"]["roles"]["root"]["keyids"]), 3)

    def test_rotation_issues_roots_that_both_generations_sign(self):
        before = self.cloud.ctl("rotate", "repo")["version"]
        self.assertEqual(self.cloud.ctl("rotate", "repo", "--times", "2")["version"], before + 2)
        self.cloud.ctl("rotate", "director", "--every-role")
        self.assertEqual(self.cloud.defects(), set())
        snapshot = self.cloud.gateway(f"{IMAGE}/snapshot.json").json()
        self.assertEqual(snapshot["signed"]["meta"]["root.json"]["version"], before + 2)

    def test_a_backup_brings_back_an_old_account_and_a_restart_makes_another(self):
        before = self.cloud.documents("pump-7")
        self.cloud.ctl("checkpoint", "start")
        self.cloud.ctl("lockbox", "define", "pump-7", "pump-controller-2.4.1")
        self.cloud.ctl("package", "add", "pump-recipes", "x", "--hwid", "h", "--random", "10",
                       "--role", "tdx-containers")
        self.cloud.ctl("rotate", "repo")
        changed = self.cloud.documents("pump-7")
        self.assertEqual(self.cloud.defects(), set())
        self.cloud.ctl("restore", "start")
        self.assertEqual(self.cloud.documents("pump-7"), before)
        for repository in ("director", "repo"):
            self.cloud.ctl("restart", "versions", repository)
            self.cloud.ctl("restart", "roots", repository)
            self.assertEqual(self.cloud.defects(), set())
            root = f"{repository}/1.root"
            self.assertNotEqual(self.cloud.documents("pump-7")[root], before[root])
        self.assertNotEqual(changed["repo/targets"], before["repo/targets"])
        self.cloud.ctl("restore", "start")
        self.assertEqual(self.cloud.documents("pump-7"), before)

    def test_a_plain_get_renews_the_snapshot_near_its_expiry_only(self):
        path = f"{DIRECTOR}/offline-snapshot.json"
        first = self.cloud.gateway(path)
        self.assertEqual(self.cloud.gateway(path).body, first.body)
        self.cloud.ctl("set", "offline-snapshot-days", "90")
        self.cloud.ctl("lockbox", "define", "pump-7", "pump-controller-2.4.1")
        second, third = (self.cloud.gateway(path).json()["signed"] for _ in range(2))
        self.cloud.ctl("set", "offline-snapshot-days", "365")
        self.assertEqual(third["version"], second["version"] + 1)

    def test_a_plain_get_issues_a_director_root_that_outlives_the_lockboxes(self):
        self.cloud.ctl("lockbox", "define", "long", "--expires", "2040-01-01T00:00:00Z")
        first, again = (self.cloud.gateway(f"{DIRECTOR}/root.json").json()["signed"]
                        for _ in range(2))
        self.cloud.ctl("lockbox", "delete", "long")
        self.assertGreaterEqual(first["expires"], "2040-06-29")
        self.assertEqual(first, again)
        self.assertEqual(self.cloud.defects(), set())

    def test_several_delegations_with_globs_and_termination(self):
        self.cloud.ctl("delegation", "add", "vendor", "--path", "vendor/*", "--terminating")
        self.cloud.ctl("package", "add", "vendor/cam", "1", "--hwid", "cam", "--random", "10",
                       "--role", "vendor")
        roles = self.cloud.gateway(f"{IMAGE}/targets.json").json()["signed"]["delegations"]["roles"]
        self.assertEqual([(role["name"], role["terminating"]) for role in roles],
                         [("tdx-containers", False), ("vendor", True)])
        vendor = self.cloud.gateway(f"{IMAGE}/delegations/vendor.json").json()["signed"]
        self.assertEqual(list(vendor["targets"]), ["vendor/cam-1"])


class Tampering(CloudTest):
    def assert_defects(self, role, mode, expected, *options):
        with self.subTest(role=role, mode=mode):
            self.cloud.ctl("tamper", "add", role, mode, *options)
            found = self.cloud.defects()
            self.cloud.ctl("tamper", "clear")
            self.assertEqual(found, expected)

    def test_every_mode_causes_its_own_defect_and_no_other(self):
        lockbox = "director/lockbox:pump-7"
        for mode, defect in (
                ("expired", "expired"), ("bad-expiry", "bad expiry"), ("wrong-type", "wrong type"),
                ("version-up", "version differs"), ("version-down", "version differs"),
                ("flip-signature", "too few valid signatures"),
                ("unknown-key", "too few valid signatures"),
                ("borrowed-keyid", "too few valid signatures"),
                ("too-few", "too few valid signatures"),
                ("duplicate-signature", "repeated keyid"), ("odd-method", "odd method"),
                ("missing", "missing"), ("duplicate-key", "duplicate key"),
                ("bom", "byte order mark"), ("trailing", "trailing bytes"),
                ("non-ascii", "not ASCII"), ("deep", "too deep"), ("truncated", "no JSON")):
            self.assert_defects(lockbox, mode, {f"{lockbox}: {defect}"})
        self.assert_defects(lockbox, "rewrite", set())
        self.assert_defects(lockbox, "huge", {f"{lockbox}: too big"}, "size=9000000")

    def test_every_role_can_be_tampered_with(self):
        for role in ("director/2.root", "director/offline-snapshot", "repo/1.root",
                     "repo/timestamp", "repo/snapshot", "repo/targets",
                     "repo/delegation:tdx-containers"):
            self.assert_defects(role, "expired", {f"{role}: expired"})
            self.cloud.ctl("tamper", "add", role, "missing")
            found = self.cloud.defects()
            self.cloud.ctl("tamper", "clear")
            self.assertIn(f"{role}: missing", found)

    def test_snapshots_lie(self):
        for role, entry, member in (
                ("director/offline-snapshot", "pump-7.json", "director/lockbox:pump-7"),
                ("repo/snapshot", "targets.json", "repo/targets"),
                ("repo/timestamp", "snapshot.json", "repo/snapshot")):
            for mode, defect in (("hash-lie", "hash differs"), ("length-lie", "length differs"),
                                 ("version-lie", "version differs"), ("unlist", "not listed")):
                self.assert_defects(role, mode, {f"{member}: {defect}"}, f"entry={entry}")

    def test_lockbox_and_image_repository_disagree(self):
        lockbox, target = "director/lockbox:pump-7", "pump-controller-2.4.1"
        for mode, defect in (("target-hash", "hash differs"),
                             ("target-length", "length differs"),
                             ("target-hardware", "hardware ids differ")):
            self.assert_defects(lockbox, mode, {f"{target}: {defect}"}, f"entry={target}")
        self.assert_defects(lockbox, "target-unknown",
                            {"stowaway-1.0: not in the image repository"})
        self.assert_defects("repo/targets", "target-drop",
                            {f"{target}: not in the image repository"}, f"entry={target}")

    def test_root_chains_break(self):
        newest = self.cloud.gateway(f"{DIRECTOR}/root.json").json()["signed"]["version"]
        self.assert_defects("director/2.root", "not-by-predecessor",
                            {"director/2.root: too few valid predecessor's signatures"})
        self.assert_defects("director/root", "wrong-type", {f"director/{newest}.root: wrong type"})
        before = self.cloud.gateway(f"{DIRECTOR}/1.root.json").body
        self.cloud.ctl("tamper", "add", "director/1.root", "rewrite")
        self.assertNotEqual(self.cloud.gateway(f"{DIRECTOR}/1.root.json").body, before)
        self.assertEqual(self.cloud.defects(), set())
        self.cloud.ctl("tamper", "clear")
        self.assertEqual(self.cloud.gateway(f"{DIRECTOR}/1.root.json").body, before)

    def test_a_threshold_cannot_be_faked_unnoticed(self):
        cloud = Rehearsal("--seed", "demo", "--keys", "ed25519",
                          "--threshold", "director/offline-updates=2")
        try:
            self.assertEqual(cloud.defects(), set())
            role = "director/lockbox:pump-7"
            cloud.ctl("tamper", "add", role, "duplicate-signature")
            self.assertEqual(cloud.defects(), {f"{role}: repeated keyid",
                                               f"{role}: too few valid signatures"})
        finally:
            cloud.end()

    def test_hostile_target_names_are_signed_as_they_stand(self):
        for name in ("../../etc/passwd", "/etc/passwd", "a\\b", "con", "x\u001by"):
            self.cloud.ctl("package", "add", "evil", "1", "--hwid", "h", "--random", "5",
                           "--id", name)
            self.cloud.ctl("lockbox", "define", "evil", name)
            signed = self.cloud.api("GET", "/lockboxes/evil").json()["signed"]
            self.assertEqual(list(signed["targets"]), [name])
        self.cloud.ctl("lockbox", "delete", "evil")

    def test_a_tamper_that_cannot_be_is_refused(self):
        for arguments in (("director/lockbox:none", "expired"), ("repo/targets", "no-such-mode"),
                          ("repo/targets", "hash-lie"), ("repo/targets", "expired", "when=now")):
            with self.assertRaisesRegex(AssertionError, "^rehearsal: "):
                self.cloud.ctl("tamper", "add", *arguments)
        self.assertEqual(self.cloud.ctl("tamper", "list"), [])
