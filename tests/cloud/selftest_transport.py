# SPDX-License-Identifier: Apache-2.0
"""The half of the self-test that is about bytes on the wire, faults and processes."""

import hashlib
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest
import zipfile
from email.utils import parsedate_to_datetime
from http.client import IncompleteRead, RemoteDisconnected
from pathlib import Path
from urllib.parse import quote, urlsplit

from referee import Referee
from testclient import DIRECTOR, HERE, IMAGE, CloudTest, Rehearsal, bearer

RECIPES = "pump-recipes-2026.11"
FIRMWARE = "pump-controller-2.4.1"


class TargetBytes(CloudTest):
    def test_targets_are_redirected_to_another_origin_and_match_their_metadata(self):
        lockbox = self.cloud.gateway(f"{DIRECTOR}/offline-updates/pump-7.json").json()
        self.assertEqual(len(lockbox["signed"]["targets"]), 3)
        for target, entry in lockbox["signed"]["targets"].items():
            url = self.cloud.location(target)
            self.assertEqual(urlsplit(url).port, self.cloud.env["ports"]["store"])
            self.assertNotEqual(urlsplit(url).port, self.cloud.env["ports"]["gateway"])
            reply = self.cloud.request("GET", url)
            self.assertEqual(len(reply.body), entry["length"])
            self.assertEqual(hashlib.sha256(reply.body).hexdigest(), entry["hashes"]["sha256"])

    def test_a_bearer_at_the_object_store_is_refused_and_logged(self):
        url = self.cloud.location(FIRMWARE)
        self.cloud.log()
        self.assertEqual(self.cloud.request("GET", url, None, bearer("x")).status, 400)
        self.assertEqual(self.cloud.request("GET", url, None, {"Range": "bytes=0-9"}).status, 206)
        seen = [(entry["origin"], entry["authorization"], entry["status"], entry["range"])
                for entry in self.cloud.log()]
        self.assertEqual(seen, [("store", True, 400, ""), ("store", False, 206, "bytes=0-9")])

    def test_a_signed_address_expires_and_cannot_be_altered(self):
        url = self.cloud.location(FIRMWARE)
        other = urlsplit(self.cloud.location(RECIPES)).path
        self.assertEqual(
            self.cloud.request("GET", url.replace(urlsplit(url).path, other)).status, 403)
        self.cloud.ctl("set", "presign-lifetime", "0")
        short = self.cloud.location(FIRMWARE)
        self.cloud.ctl("set", "presign-lifetime", "86400")
        time.sleep(1.1)
        reply = self.cloud.request("GET", short)
        self.assertEqual(reply.status, 403)
        self.assertIn(b"Request has expired", reply.body)
        self.assertEqual(self.cloud.request("GET", url).status, 200)

    def test_ranges_follow_the_etag(self):
        url = self.cloud.location(RECIPES)
        whole = self.cloud.request("GET", url)
        tag = whole.headers["ETag"]
        part = self.cloud.request("GET", url, None, {"Range": "bytes=1000-1999", "If-Range": tag})
        self.assertEqual((part.status, part.body), (206, whole.body[1000:2000]))
        self.assertEqual(part.headers["Content-Range"], f"bytes 1000-1999/{len(whole.body)}")
        stale = self.cloud.request("GET", url, None,
                                   {"Range": "bytes=1000-", "If-Range": '"stale"'})
        self.assertEqual((stale.status, len(stale.body)), (200, len(whole.body)))
        beyond = self.cloud.request("GET", url, None, {"Range": "bytes=99999999-"})
        self.assertEqual(beyond.status, 416)

    def test_names_arrive_in_either_encoding(self):
        for name in ("a b/c%d+e#f?g", "ünï/✓"):
            self.cloud.ctl("package", "add", "odd", "1", "--hwid", "h", "--random", "7",
                           "--id", name)
            for encoded in (quote(name), quote(name, safe="")):
                self.assertEqual(self.cloud.gateway(f"{IMAGE}/targets/{encoded}").status, 302)
        self.assertEqual(self.cloud.gateway(f"{IMAGE}/targets/none-1").status, 404)

    def test_a_custom_uri_is_where_the_bytes_are(self):
        hosted = self.cloud.ctl("package", "add", "ext", "1", "--hwid", "h", "--random", "99",
                                "--uri", "hosted")
        self.assertEqual(self.cloud.location("ext-1"), hosted["uri"])
        body = self.cloud.request("GET", hosted["uri"]).body
        self.assertEqual(hashlib.sha256(body).hexdigest(), hosted["sha256"])

    def test_corrupted_packages_keep_their_metadata_and_change_their_etag(self):
        self.cloud.ctl("package", "add", "sick", "1", "--hwid", "h", "--random", "5000")
        before = self.cloud.request("GET", self.cloud.location("sick-1"))
        for option, length in (("--flip", 5000), ("--truncate", 100), ("--append", 100 + 4000)):
            value = {"--flip": 77, "--truncate": 100, "--append": 4000}[option]
            self.cloud.ctl("package", "corrupt", "sick-1", option, value)
            after = self.cloud.request("GET", self.cloud.location("sick-1"))
            self.assertEqual(len(after.body), length)
            self.assertNotEqual(after.body, before.body)
            self.assertNotEqual(after.headers["ETag"], before.headers["ETag"])
        info = next(p for p in self.cloud.ctl("package", "list") if p["target"] == "sick-1")
        self.assertEqual(info["sha256"], hashlib.sha256(before.body).hexdigest())

    def test_ostree_needs_a_bearer_and_the_feed_none(self):
        repository = self.cloud.folder / "some-repo"
        (repository / "objects/ab").mkdir(parents=True)
        (repository / "config").write_text("[core]\nmode=archive-z2\n")
        (repository / "objects/ab/cd.commit").write_bytes(b"commit")
        self.cloud.ctl("ostree", repository)
        self.cloud.ctl("ostree", repository, "--feed")
        treehub, feed = self.cloud.env["REHEARSAL_OSTREE_URL"], self.cloud.env["REHEARSAL_FEED_URL"]
        path, login = "/objects/ab/cd.commit", bearer(self.cloud.uptane_token)
        self.assertEqual(self.cloud.request("GET", treehub + path).status, 401)
        self.assertEqual(self.cloud.request("GET", treehub + path, None, login).body, b"commit")
        self.assertEqual(self.cloud.request("HEAD", treehub + path, None, login).status, 200)
        self.assertEqual(
            self.cloud.request("HEAD", f"{treehub}/objects/no/ne.commit", None, login).status, 404)
        self.assertEqual(self.cloud.request("GET", f"{feed}/config").status, 200)

    def test_credentials_zip_is_made_to_order(self):
        path = self.cloud.folder / "other.zip"
        self.cloud.ctl("credentials", path, "--no-director-root", "--no-auth")
        with zipfile.ZipFile(path) as archive, \
                zipfile.ZipFile(self.cloud.env["REHEARSAL_CREDENTIALS"]) as first:
            self.assertEqual(set(first.namelist()) - set(archive.namelist()),
                             {"director.root.json"})
            self.assertTrue(json.loads(archive.read("treehub.json"))["no_auth"])
            self.assertEqual(first.read("tufrepo.url").decode().strip().rstrip("/"),
                             self.cloud.env["REHEARSAL_REPO_URL"])
            self.assertEqual(first.read("director.root.json"),
                             self.cloud.gateway(f"{DIRECTOR}/1.root.json").body)
        self.cloud.ctl("set", "require-bearer", "no")
        reply = self.cloud.request("GET", self.cloud.origin("gateway") + f"{DIRECTOR}/1.root.json")
        self.cloud.ctl("set", "require-bearer", "yes")
        self.assertEqual(reply.status, 200)


class Faults(CloudTest):
    def setUp(self):
        self.url = self.cloud.location(FIRMWARE)
        self.good = self.cloud.request("GET", self.url)

    def fault(self, kind, *options, match="^GET store/", times=1):
        self.cloud.ctl("fault", "add", match, kind, *options, "--times", times)

    def get(self, headers=None):
        return self.cloud.request("GET", self.url, None, headers)

    def test_status_with_retry_after_as_seconds_and_as_date(self):
        self.fault("status", "code=503", "retry-after=7")
        self.fault("status", "code=429", "retry-after=date:30")
        first, second = self.get(), self.get()
        self.assertEqual((first.status, first.headers["Retry-After"]), (503, "7"))
        self.assertEqual(second.status, 429)
        wait = parsedate_to_datetime(second.headers["Retry-After"]).timestamp() - time.time()
        self.assertTrue(25 < wait < 32)
        self.assertEqual(self.get().body, self.good.body)

    def test_skip_and_times_count_matching_requests_only(self):
        self.cloud.ctl("fault", "add", "^GET store/", "status", "code=500",
                       "--skip", 1, "--times", 2)
        self.cloud.gateway(f"{DIRECTOR}/root.json")
        self.assertEqual([self.get().status for _ in range(4)], [200, 500, 500, 200])

    def test_a_420_fault_on_v2_carries_the_rate_headers(self):
        self.fault("status", "code=420", "retry-after=1", match="^GET api/api/v2/lockboxes")
        reply = self.cloud.api("GET", "/lockboxes")
        self.assertEqual((reply.status, reply.headers["Retry-After"]), (420, "1"))
        self.assertIn("X-RateLimit-Reset", reply.headers)

    def test_cut_closes_early_with_the_full_content_length(self):
        self.fault("cut", "at=100000")
        with self.assertRaises(IncompleteRead) as caught:
            self.get()
        self.assertEqual(caught.exception.partial, self.good.body[:100000])

    def test_stall_sends_some_bytes_and_no_more(self):
        self.fault("stall", "at=5000")
        got = subprocess.run(
            ["curl", "-s", "--cacert", self.cloud.env["REHEARSAL_CA"], "--max-time", "1",
             self.url], capture_output=True, check=False)
        self.assertEqual(got.returncode, 28)
        self.assertEqual(got.stdout, self.good.body[:5000])

    def test_flip_changes_one_byte(self):
        self.fault("flip", "at=70000")
        different = [n for n, (a, b) in enumerate(zip(self.get().body, self.good.body)) if a != b]
        self.assertEqual(different, [70000])

    def test_slow_and_delay_take_their_time(self):
        size = len(self.good.body)
        for options in (("slow", f"rate={size * 2}"), ("delay", "seconds=0.5")):
            self.fault(*options)
            begin = time.monotonic()
            self.assertEqual(self.get().body, self.good.body)
            self.assertTrue(0.4 < time.monotonic() - begin < 2)

    def test_lengths_lie(self):
        self.fault("longer", "by=1000")
        longer = self.get()
        self.assertEqual(int(longer.headers["Content-Length"]), len(self.good.body) + 1000)
        self.assertEqual(len(longer.body), len(self.good.body) + 1000)
        self.fault("shorter", "by=1000")
        self.assertEqual(self.get().body, self.good.body[:-1000])
        self.fault("endless")
        got = subprocess.run(
            ["sh", "-c", 'curl -s --cacert "$1" "$2" | head -c 20000000 | wc -c', "sh",
             self.cloud.env["REHEARSAL_CA"], self.url], capture_output=True, check=True)
        self.assertEqual(int(got.stdout), 20_000_000)

    def test_ranges_lie(self):
        asked = {"Range": "bytes=10-19"}
        self.fault("ignore-range")
        self.assertEqual(self.get().status, 200)
        ignored = self.get(asked)
        self.assertEqual((ignored.status, ignored.body), (200, self.good.body))
        self.fault("bad-content-range", "by=5")
        shifted = self.get(asked)
        self.assertEqual((shifted.status, shifted.body), (206, self.good.body[10:20]))
        self.assertEqual(shifted.headers["Content-Range"], f"bytes 15-24/{len(self.good.body)}")

    def test_the_etag_changes_between_tries(self):
        self.fault("new-etag", times=3)
        tag = self.get().headers["ETag"]
        self.assertNotIn(tag, (self.good.headers["ETag"], self.get().headers["ETag"]))
        resumed = self.get({"Range": "bytes=10-", "If-Range": tag})
        self.assertEqual((resumed.status, resumed.body), (200, self.good.body))

    def test_redirects_go_astray(self):
        target = f"{self.cloud.origin('gateway')}{IMAGE}/targets/{FIRMWARE}"
        for kind, options, expected in (
                ("redirect-loop", (), target),
                ("redirect-plain", (), target.replace(self.cloud.origin("gateway"),
                                                      self.cloud.origin("plain")
                                                      .replace("https:", "http:"))),
                ("redirect", ("to=https://example.invalid/x",), "https://example.invalid/x")):
            self.fault(kind, *options, match="^GET gateway/.*/targets/")
            self.assertEqual(self.cloud.location(FIRMWARE), expected)
        self.fault("redirect-plain")
        plain = self.cloud.request("GET", self.get().headers["Location"])
        self.assertEqual(plain.body, self.good.body)
        self.assertEqual(self.cloud.log()[-1]["origin"], "plain")

    def test_the_connection_is_reset(self):
        self.fault("reset")
        with self.assertRaises((ConnectionResetError, RemoteDisconnected)):
            self.get()

    def test_roles_are_spoiled_as_well(self):
        self.fault("cut", "at=10", match="offline-snapshot.json")
        with self.assertRaises(IncompleteRead):
            self.cloud.gateway(f"{DIRECTOR}/offline-snapshot.json")

    def test_faults_that_cannot_be_are_refused(self):
        for arguments in (("x", "no-such-fault"), ("(", "reset"), ("x", "status"),
                          ("x", "cut", "byte=7")):
            with self.assertRaisesRegex(AssertionError, "^rehearsal: "):
                self.cloud.ctl("fault", "add", *arguments)
        self.assertEqual(self.cloud.ctl("fault", "list"), [])


class StaticTargets(CloudTest):
    options = ("--seed", "demo", "--keys", "ed25519", "--static-targets")

    def test_nginx_answers_targets_itself_over_both_protocols(self):
        entries = self.cloud.gateway(f"{IMAGE}/targets.json").json()["signed"]["targets"]
        entry = entries["bootloader/verdin-imx8mm-6.8.0"]
        for protocol, logged in (("--http2", "HTTP/2.0"), ("--http1.1", "HTTP/1.1")):
            for name in ("bootloader/verdin-imx8mm-6.8.0", "bootloader%2Fverdin-imx8mm-6.8.0"):
                self.cloud.log()
                got = subprocess.run(
                    ["curl", "-s", protocol, "--cacert", self.cloud.env["REHEARSAL_CA"],
                     f"{self.cloud.origin('gateway')}{IMAGE}/targets/{name}"],
                    capture_output=True, check=True)
                self.assertEqual(hashlib.sha256(got.stdout).hexdigest(),
                                 entry["hashes"]["sha256"])
                self.assertEqual([(e["protocol"], e["status"]) for e in self.cloud.log()],
                                 [(logged, 200)])

    def test_ranges_work_and_corruption_shows(self):
        url = f"{self.cloud.origin('gateway')}{IMAGE}/targets/{FIRMWARE}"
        whole = self.cloud.request("GET", url)
        part = self.cloud.request("GET", url, None, {"Range": "bytes=5-9",
                                                     "If-Range": whole.headers["ETag"]})
        self.assertEqual((part.status, part.body), (206, whole.body[5:10]))
        self.cloud.ctl("package", "corrupt", FIRMWARE, "--flip", 3)
        self.assertNotEqual(self.cloud.request("GET", url).body, whole.body)


class Processes(unittest.TestCase):
    def setUp(self):
        self._home = tempfile.TemporaryDirectory()
        self.addCleanup(self._home.cleanup)
        # Longer than the address of a Unix socket may be, and with a space.
        self.folder = Path(self._home.name) / ("long " * 24).strip() / "cloud"
        self.addCleanup(Rehearsal.run, "stop", self.folder)

    def processes(self):
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(entry / "cwd") == str(self.folder):
                    found.append(entry.name)
            except OSError:
                continue
        return found

    def test_starts_within_two_seconds_and_stop_leaves_nothing(self):
        begin = time.monotonic()
        Rehearsal.run("start", self.folder, "--keys", "ed25519", "--seed", "demo")
        self.assertLess(time.monotonic() - begin, 2)
        with self.assertRaises(AssertionError):
            Rehearsal.run("start", self.folder)
        self.assertGreater(len(self.processes()), 2)
        for _ in range(2):
            Rehearsal.run("stop", self.folder)
            self.assertEqual(self.processes(), [])

    def test_stop_cleans_up_after_a_crash_and_start_works_again(self):
        for _ in range(2):
            Rehearsal.run("start", self.folder, "--keys", "ed25519")
            os.kill(int((self.folder / "server.pid").read_text()), signal.SIGKILL)
        Rehearsal.run("stop", self.folder)
        self.assertEqual(self.processes(), [])

    def test_the_environment_file_can_be_sourced(self):
        Rehearsal.run("start", self.folder, "--keys", "ed25519")
        done = subprocess.run(
            ["sh", "-c", '. "$1/cloud.env"; curl -s -o /dev/null -w "%{http_code}" '
             '--cacert "$REHEARSAL_CA" "$REHEARSAL_API_URL/lockboxes"', "sh", self.folder],
            capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "401")


class LooseLockbox(unittest.TestCase):
    def setUp(self):
        self._home = tempfile.TemporaryDirectory()
        self.addCleanup(self._home.cleanup)
        self.out = Path(self._home.name)

    def make(self, *options, out="one"):
        subprocess.run([HERE / "make_lockbox.py", self.out / out, *options], check=True)
        return self.out / out

    def defects(self, folder, lockbox="pump-7"):
        documents = {}
        for repository, directory in (("director", "director"), ("repo", "image-repo")):
            for path in (folder / "update/metadata" / directory).glob("*.json"):
                name = path.stem
                if name == lockbox:
                    name = f"lockbox:{name}"
                elif name == "tdx-containers":
                    name = f"delegation:{name}"
                documents[f"{repository}/{name}"] = path.read_bytes()
        documents.pop("director/root", None)
        return Referee(documents, lockbox).judge()

    def test_a_good_one_has_no_defect_and_all_its_bytes(self):
        folder = self.make("--rotate", "director", "--rotate", "repo", "--keys", "rsa")
        self.assertEqual(self.defects(folder), set())
        for repository, directory in (("director", "director"), ("repo", "image-repo")):
            self.assertEqual(
                (folder / f"trust/{repository}/root.json").read_bytes(),
                (folder / f"update/metadata/{directory}/1.root.json").read_bytes())
        lockbox = json.loads((folder / "update/metadata/director/pump-7.json").read_text())
        for target, entry in lockbox["signed"]["targets"].items():
            content = (folder / "update/images" / target).read_bytes()
            self.assertEqual(hashlib.sha256(content).hexdigest(), entry["hashes"]["sha256"])

    def test_tampers_are_those_of_the_cloud(self):
        folder = self.make("--tamper", "repo/targets", "expired")
        self.assertEqual(self.defects(folder), {"repo/targets: expired"})

    def test_all_but_keys_is_the_same_at_the_same_time(self):
        at = ("--at", "2027-01-01T00:00:00Z")
        lockboxes = [json.loads((self.make(*at, out=out) / "update/metadata/director/pump-7.json")
                                .read_text())["signed"] for out in ("one", "two")]
        self.assertEqual(lockboxes[0], lockboxes[1])
        self.assertEqual(lockboxes[0]["expires"], "2028-01-01T00:00:00Z")

    def test_own_targets_commits_and_listed_strangers(self):
        content = self.out / "content"
        content.write_bytes(b"content")
        folder = self.make("--target", "targets", "x/y-1", "a,b", str(content),
                           "--commit", "targets", "os-7", "a", "ab" * 32, "--other", "else")
        self.assertEqual(self.defects(folder), set())
        director = folder / "update/metadata/director"
        snapshot = json.loads((director / "offline-snapshot.json").read_text())["signed"]
        self.assertEqual(sorted(snapshot["meta"]), ["else.json", "pump-7.json"])
        self.assertFalse((director / "else.json").exists())
        lockbox = json.loads((director / "pump-7.json").read_text())["signed"]
        self.assertEqual(lockbox["targets"]["os-7"]["length"], 0)
        self.assertEqual((folder / "update/images/x/y-1").read_bytes(), b"content")
