# SPDX-License-Identifier: Apache-2.0
"""The self-test's way to a running cloud: one client, which follows no redirect by itself."""

import json
import ssl
import subprocess
import tempfile
import unittest
import zipfile
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from referee import Referee

HERE = Path(__file__).resolve().parent
DIRECTOR = "/director/api/v1/admin/repo"
IMAGE = "/repo/api/v1/user_repo"


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Rehearsal:
    """One running cloud, started with `options` and ended by end()."""

    def __init__(self, *options):
        self._home = tempfile.TemporaryDirectory()
        self.folder = Path(self._home.name) / "cloud"
        self.run("start", self.folder, *options)
        self.env = json.loads((self.folder / "cloud.json").read_text())
        self.tls = ssl.create_default_context(cafile=self.env["REHEARSAL_CA"])
        with zipfile.ZipFile(self.env["REHEARSAL_CREDENTIALS"]) as archive:
            self.treehub = json.loads(archive.read("treehub.json"))
        self._connections = {}
        self.renew_tokens()

    def renew_tokens(self):
        oauth = self.treehub["oauth2"]
        self.api_token = self.token(self.env["REHEARSAL_CLIENT_ID"],
                                    self.env["REHEARSAL_CLIENT_SECRET"])
        self.uptane_token = self.token(oauth["client_id"], oauth["client_secret"])

    def end(self):
        for connection in self._connections.values():
            connection.close()
        self.run("stop", self.folder)
        self._home.cleanup()

    @staticmethod
    def run(*arguments):
        done = subprocess.run([HERE / "rehearsal", *map(str, arguments)], capture_output=True,
                              text=True, check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        return done.stdout

    def ctl(self, *arguments):
        return json.loads(self.run("ctl", self.folder, *arguments))

    def log(self):
        return [json.loads(line) for line in
                self.run("ctl", self.folder, "log", "--clear").splitlines()]

    def request(self, method, url, body=None, headers=None):
        """Over a kept connection, as long as the last answer on it came in whole."""
        parts = urlsplit(url)
        connection = self._connections.pop(parts.netloc, None) or self._connect(parts)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            reply = Reply(answer.status, answer.headers, answer.read())
        except BaseException:
            connection.close()
            raise
        self._connections[parts.netloc] = connection
        return reply

    def _connect(self, parts):
        """To loopback by number: a bare system may have no /etc/hosts that knows localhost."""
        netloc = parts.netloc.replace("localhost", "127.0.0.1")
        if parts.scheme == "https":
            return HTTPSConnection(netloc, timeout=5, context=self.tls)
        return HTTPConnection(netloc, timeout=5)

    def token(self, client_id, secret):
        return self.grant({"client_id": client_id, "client_secret": secret}).json()["access_token"]

    def grant(self, form, headers=None, grant_type="client_credentials"):
        body = urlencode({"grant_type": grant_type, **form})
        return self.request("POST", self.env["REHEARSAL_TOKEN_URL"], body, {
            "Content-Type": "application/x-www-form-urlencoded", **(headers or {})})

    def api(self, method, path, value=None, token=None):
        body = None if value is None else json.dumps(value)
        return self.request(method, self.env["REHEARSAL_API_URL"] + path, body,
                            bearer(token or self.api_token))

    def gateway(self, path, token=None):
        return self.request("GET", self.origin("gateway") + path, None,
                            bearer(token or self.uptane_token))

    def origin(self, name):
        return f"https://localhost:{self.env['ports'][name]}"

    def location(self, target):
        """The pre-signed URL of a target's bytes."""
        reply = self.gateway(f"{IMAGE}/targets/{quote(target)}")
        assert reply.status == 302, reply.status
        return reply.headers["Location"]

    def documents(self, lockbox):
        """Every role, asked for in the order that a client must keep."""
        found = {}

        def ask(role, path):
            reply = self.gateway(path)
            if reply.status == 200:
                found[role] = reply.body
            return reply.status == 200

        ask(f"director/lockbox:{lockbox}", f"{DIRECTOR}/offline-updates/{lockbox}.json")
        ask("director/offline-snapshot", f"{DIRECTOR}/offline-snapshot.json")
        for repository, base in (("director", DIRECTOR), ("repo", IMAGE)):
            self.gateway(f"{base}/root.json")
            for number in range(1, 8):
                ask(f"{repository}/{number}.root", f"{base}/{number}.root.json")
        for role in ("timestamp", "snapshot", "targets"):
            ask(f"repo/{role}", f"{IMAGE}/{role}.json")
        targets = json.loads(found.get("repo/targets", b'{"signed": {}}'))["signed"]
        for entry in targets.get("delegations", {"roles": []})["roles"]:
            name = entry["name"]
            ask(f"repo/delegation:{name}", f"{IMAGE}/delegations/{name}.json")
        return found

    def defects(self, lockbox="pump-7"):
        return Referee(self.documents(lockbox), lockbox).judge()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


class CloudTest(unittest.TestCase):
    """Shares one cloud with the demo account among the tests of a class."""

    options = ("--seed", "demo", "--keys", "ed25519")

    @classmethod
    def setUpClass(cls):
        cls.cloud = Rehearsal(*cls.options)

    @classmethod
    def tearDownClass(cls):
        cls.cloud.end()

    def tearDown(self):
        self.cloud.ctl("fault", "clear")
        self.cloud.ctl("tamper", "clear")
