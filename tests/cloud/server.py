# SPDX-License-Identifier: Apache-2.0
"""The server process of the rehearsal cloud; started by `rehearsal start`, not by hand.

    server.py FOLDER OPTIONS-AS-JSON

It works in FOLDER, starts nginx as its child, answers the doors on one Unix
socket and the control commands on another, and ends when nginx ends or FOLDER
goes away.
"""

import json
import os
import select
import signal
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote

import control
import credentials
import seeds
from account import Account
from cloud import Cloud, Settings
from device_door import DeviceDoor
from door import Request, Response
from faults import Answer
from frontend import BACKEND_SOCKET, Frontend
from object_store import ObjectStore
from platform_door import PlatformDoor
from uptane_door import UptaneDoor


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 1024


class Doors:
    """Sends each request to the door of its origin."""

    def __init__(self, cloud):
        self.cloud = cloud
        self._store = ObjectStore(cloud)
        self._platform = PlatformDoor(cloud)
        self._uptane = UptaneDoor(cloud, self._store)
        self._answers = {
            "api": self._platform.answer,
            "token": cloud.tokens.answer,
            "gateway": self._uptane.answer_gateway,
            "dgw": DeviceDoor(cloud).answer,
            "ostree": self._uptane.answer_ostree,
            "feed": self._uptane.answer_feed,
            "store": self._store.answer,
            "plain": self._plain,
        }

    def answer(self, request):
        """(response, the fault that is to spoil it or None)."""
        with self.cloud.lock:
            fault = self.cloud.faults.take(request)
            response = fault.replacement(request, self.cloud) if fault else None
            if response is None:
                return self._answers[request.origin](request), fault
            if request.origin == "api":
                response.headers.update(self._platform.rate_headers())
            return response, fault

    def _plain(self, request):
        """Plain HTTP serves whatever it is asked for: a client should never have come."""
        door = self._store.answer if request.path.startswith(("/bucket/", "/public/")) \
            else self._uptane.answer_gateway
        return door(request)


class DoorHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "rehearsal"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        origin = self.headers["X-Rehearsal-Origin"]
        request = Request(self.command, origin, self.path, self.headers, body)
        try:
            response, fault = self.server.doors.answer(request)
        except Exception:
            self._send(Response(500))
            raise
        if fault and "X-Accel-Redirect" not in response.headers:
            answer = Answer(request, response, self.server.doors.cloud.folder)
            fault.spoil(answer)
            self._send_spoiled(answer)
        else:
            self._send(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = answer

    def _send(self, response):
        headers = dict(response.headers)
        if response.file:
            headers["X-Accel-Redirect"] = quote(f"/.file/{response.file}")
        headers["Content-Length"] = str(len(response.body))
        self._send_head(response.status, headers)
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def _send_spoiled(self, answer):
        headers = dict(answer.headers)
        if answer.length is None:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(answer.length)
        self._send_head(answer.status, headers)
        if self.command == "HEAD":
            return
        try:
            for piece in answer.pieces:
                if answer.length is None:
                    piece = b"%x\r\n%s\r\n" % (len(piece), piece)
                self.wfile.write(piece)
        except (BrokenPipeError, ConnectionResetError):
            answer.ending = "close"
        if answer.ending == "hang":
            select.select([self.connection], [], [])
        if answer.ending != "keep":
            self.close_connection = True

    def _send_head(self, status, headers):
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()

    def log_message(self, format, *args):
        """nginx keeps the log of requests."""


class ControlHandler(socketserver.StreamRequestHandler):
    """One JSON object in, one out: see control.py."""

    def handle(self):
        line = self.rfile.readline()
        if line:
            answer = control.run(self.server.doors.cloud, json.loads(line))
            self.wfile.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")


def serve(path, handler, doors):
    Path(path).unlink(missing_ok=True)
    server = UnixServer(path, handler)
    server.doors = doors
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main(folder, options):
    os.chdir(folder)
    Path(control.PID_FILE).write_text(f"{os.getpid()}\n")
    # Kept for sigtimedwait() below; threads inherit the mask, nginx must not.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    frontend = Frontend(folder)
    settings = Settings(**options["settings"])
    thresholds = {role: tuple(numbers) for role, numbers in options["thresholds"].items()}
    cloud = Cloud(folder, frontend.ports, Account(options["keys"], thresholds), settings,
                  options["static_targets"])
    cloud.apply_settings()
    seeds.SEEDS[options["seed"]](cloud)
    doors = Doors(cloud)
    serve(BACKEND_SOCKET, DoorHandler, doors)
    serve(control.SOCKET, ControlHandler, doors)
    frontend.start(options["static_targets"], cloud.device_authority)
    credentials.describe(cloud)
    while frontend.exit_status() is None and Path(control.PID_FILE).exists() \
            and not signal.sigtimedwait([signal.SIGTERM], 0.5):
        continue
    frontend.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
