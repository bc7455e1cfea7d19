# SPDX-License-Identifier: Apache-2.0
"""Whole-program scenarios: the real airlock, a rehearsal cloud, a folder that stands for a stick.

    class Fetching(Scenario):
        def test_an_expired_lockbox_is_refused(self):
            self.login()
            self.refuses(3, "expired-role", "fetch", "press-line", says="press-line.json")
            self.assert_nothing_kept("press-line")

One cloud serves the tests of a class; each test has a home and a stick of its own, and a cloud without faults
and tampers. Whatever a test is about, this is asserted of every run and after every test:

  - the sanitizers report nothing; no terminal escape and no secret is printed;
  - what has a name in the store has the content that the name says;
  - secrets stand in the file `secrets` alone, mode 0600;
  - no bearer reaches the object store, and nothing goes out without TLS.
"""

import contextlib
import hashlib
import importlib.machinery
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile
from pathlib import Path

AIRLOCK = os.environ["AIRLOCK"]
TESTS = Path(__file__).resolve().parent.parent
TIMEOUT_S = 60
SANITIZERS = re.compile("runtime error:|AddressSanitizer|LeakSanitizer")
# What a terminal would obey: C0 but tab and line feed, DEL, and C1 in UTF-8.
CONTROLS = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")

REHEARSAL = TESTS / "cloud" / "rehearsal"
sys.path.insert(0, str(REHEARSAL.parent))
rehearsal = importlib.machinery.SourceFileLoader("rehearsal", str(REHEARSAL)).load_module()


class Cloud:
    """One running rehearsal cloud. Its `ctl` is called in this process: hundreds of verbs cost nothing."""

    def __init__(self, folder, *options):
        self.folder = folder
        subprocess.run([REHEARSAL, "start", folder, *options], check=True, stdout=subprocess.DEVNULL)
        self.env = json.loads((folder / "cloud.json").read_text())
        self.ca = self.env["REHEARSAL_CA"]
        self.credentials = self.env["REHEARSAL_CREDENTIALS"]
        with zipfile.ZipFile(self.credentials) as archive:
            self.treehub = json.loads(archive.read("treehub.json"))
        self.secrets = [self.treehub["oauth2"]["client_secret"], self.env["REHEARSAL_CLIENT_SECRET"]]

    def stop(self):
        subprocess.run([REHEARSAL, "stop", self.folder], check=True)

    def tell(self, *words):
        return json.loads(self._ask(*words))

    def log(self):
        return [json.loads(line) for line in self._ask("log").splitlines()]

    def clear_log(self):
        self._ask("log", "--clear")

    def targets_asked_for(self):
        """Requests for the bytes of packages, at whichever origin."""
        return [entry for entry in self.log()
                if entry["origin"] == "store" and entry["method"] == "GET"]

    def _ask(self, *words):
        out = io.StringIO()
        arguments = rehearsal.parse([str(word) for word in ("ctl", self.folder, *words)])
        with contextlib.chdir("."), contextlib.redirect_stdout(out):
            rehearsal.control(arguments)
        return out.getvalue()


class Outcome:
    def __init__(self, words, code, stdout, stderr):
        self.words, self.code = words, code
        self.stdout, self.stderr = stdout.decode(errors="replace"), stderr.decode(errors="replace")
        self.bytes = stdout + stderr
        self.answer = json.loads(self.stdout) if "--json" in words and stdout else None

    @property
    def error(self):
        return self.answer["error"]["id"] if self.answer and "error" in self.answer else None

    def __str__(self):
        return f"airlock {' '.join(self.words)}: exit {self.code}\n{self.stdout}{self.stderr}"


class Scenario(unittest.TestCase):
    cloud_options = ("--seed", "demo", "--keys", "ed25519")

    @classmethod
    def setUpClass(cls):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
        folder = Path(tempfile.mkdtemp(prefix="airlock-cloud-"))
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.cloud = None
        if cls.cloud_options is not None:
            cls.cloud = Cloud(folder / "cloud", *cls.cloud_options)
            cls.addClassCleanup(cls.cloud.stop)

    def setUp(self):
        self.home = Path(tempfile.mkdtemp(prefix="airlock-home-", dir=roomy_memory()))
        self.addCleanup(shutil.rmtree, self.home)
        self.cache, self.state, self.config = (
            self.home / name / "airlock" for name in ("cache", "state", "config"))
        self.stick = self.home / "stick"
        self.stick.mkdir()
        self.env = {
            "PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C.UTF-8",
            "XDG_CACHE_HOME": str(self.cache.parent), "XDG_STATE_HOME": str(self.state.parent),
            "XDG_CONFIG_HOME": str(self.config.parent), "UBSAN_OPTIONS": "print_stacktrace=1",
        }
        self.printed = []
        if self.cloud:
            self.forget_what_went_wrong()
            self.cloud.clear_log()

    def tearDown(self):
        self.assert_store_is_sound()
        if self.cloud:
            self.assert_secrets_are_kept()
            self.assert_bearers_stay_home()

    # Running.

    def start(self, *words, env=None):
        """A run that goes on while the test does something else; end it with finish()."""
        process = subprocess.Popen([AIRLOCK, *map(str, words)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.home,
                                   env=self.env | (env or {}), start_new_session=True)
        self.addCleanup(end, process)
        return process

    def finish(self, process, within=TIMEOUT_S):
        words = process.args[1:]
        try:
            stdout, stderr = process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            self.fail(f"still running after {within} s: {words}\n{stderr.decode(errors='replace')}")
        outcome = Outcome(words, process.returncode, stdout, stderr)
        self.printed.append(outcome)
        self.assertNotRegex(outcome.stderr, SANITIZERS, str(outcome))
        self.assertIsNone(CONTROLS.search(outcome.bytes), str(outcome))
        return outcome

    def airlock(self, *words, env=None, within=TIMEOUT_S):
        return self.finish(self.start(*words, env=env), within)

    def ok(self, *words, **how):
        """Runs with --json, expects success, returns the answer."""
        outcome = self.airlock("--json", *words, **how)
        self.assertEqual(outcome.code, 0, str(outcome))
        self.assertEqual(outcome.answer["schema"], 1)
        return outcome.answer

    def refuses(self, code, error, *words, says=(), **how):
        """Runs with --json, expects that exit code, that error id and those words in the message."""
        outcome = self.airlock("--json", *words, **how)
        self.assertEqual((outcome.code, outcome.error), (code, error), str(outcome))
        self.assertTrue(outcome.stderr.startswith("airlock: "), str(outcome))
        for word in [says] if isinstance(says, str) else says:
            self.assertIn(word, outcome.answer["error"]["message"], str(outcome))
        return outcome

    def login(self):
        return self.ok("--cacert", self.cloud.ca, "login", "--credentials", self.cloud.credentials,
                       "--feed-url", self.cloud.env["REHEARSAL_FEED_URL"])

    # The cloud.

    def forget_what_went_wrong(self):
        self.cloud.tell("fault", "clear")
        self.cloud.tell("tamper", "clear")

    def forget_what_was_served(self):
        """A tamper changes content under one version, which a computer with a memory refuses."""
        (self.state / "trust" / "default" / "memory.json").unlink(missing_ok=True)

    def fault(self, match, kind, *options, times=None, skip=0):
        limits = [] if times is None else ["--times", times]
        self.cloud.tell("fault", "add", match, kind, *options, *limits, "--skip", skip)

    # What lies on the disk.

    def record(self, lockbox):
        return self.cache / "lockboxes" / "default" / f"{lockbox}.json"

    def assert_kept(self, lockbox):
        record = json.loads(self.record(lockbox).read_text())
        for file in record["roles"] + record["targets"]:
            path = self.cache / "objects" / file["sha256"][:2] / file["sha256"][2:]
            self.assertEqual(path.stat().st_size, file["size"], file["path"])

    def assert_nothing_kept(self, lockbox):
        self.assertFalse(self.record(lockbox).exists(), f"a record of '{lockbox}' is in the store")

    def assert_stick_is_empty(self):
        self.assertEqual(tree(self.stick), {})

    def bundle(self):
        """The one bundle on the stick: the path of its head."""
        heads = list((self.stick / "airlock").glob("*.lockbox"))
        self.assertEqual(len(heads), 1, heads)
        return heads[0]

    def assert_store_is_sound(self):
        for path in files_beneath(self.cache / "objects"):
            name = path.parent.name + path.name
            self.assertEqual(hashlib.sha256(path.read_bytes()).hexdigest(), name,
                             "an object of the store is not what its name says")

    def assert_secrets_are_kept(self):
        secrets = [secret.encode() for secret in self.cloud.secrets]
        for outcome in self.printed:
            for secret in secrets:
                self.assertNotIn(secret, outcome.bytes, "a secret was printed")
        private = self.config / "secrets"
        if private.exists():
            self.assertEqual(private.stat().st_mode & 0o777, 0o600)
        for folder in (self.cache, self.state, self.config, self.stick):
            for path in files_beneath(folder):
                content = path.read_bytes() if path != private else b""
                self.assertFalse([s for s in secrets if s in content], f"a secret is in '{path}'")

    def assert_bearers_stay_home(self):
        for entry in self.cloud.log():
            self.assertNotEqual(entry["origin"], "plain", entry)
            if entry["origin"] in ("store", "feed"):
                self.assertFalse(entry["authorization"], entry)

    def wait_until(self, condition, what):
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            if time.monotonic() > deadline:
                self.fail(f"{what}: not within {TIMEOUT_S} s")
            time.sleep(0.01)


def end(process):
    """Leaves nothing of a run that the test did not finish."""
    process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()


def roomy_memory():
    """A folder in memory where there is one with room: hundreds of flushes would only measure the disk."""
    memory = "/dev/shm"
    if not os.access(memory, os.W_OK):
        return None
    room = os.statvfs(memory)
    return memory if room.f_bavail * room.f_frsize >= 512 << 20 else None


def files_beneath(folder):
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]


def tree(folder):
    """{relative path: content} of every file."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in files_beneath(folder)}


def names(folder):
    """Everything beneath the folder, hidden or not, without the folders themselves."""
    return sorted(tree(folder))


def main():
    unittest.main(verbosity=2)
