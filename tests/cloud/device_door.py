# SPDX-License-Identifier: Apache-2.0
"""The third door: what a device comes through, by mutual TLS with its own certificate.

nginx has verified the certificate; its common name is the device's UUID, and so a device can speak of itself
only.
"""

import hashlib
import json

import manifests
from account import Refused
from door import Response, Router, uptane_error
from repository import now, rfc3339

BASE = "/director"


class DeviceDoor:
    def __init__(self, cloud):
        self._cloud = cloud
        self._router = Router()
        self._router.add("POST", f"{BASE}/ecus", self._register)
        self._router.add("PUT", f"{BASE}/manifest", self._manifest)
        self._router.add("GET", f"{BASE}/root.json", self._root)
        self._router.add("GET", f"{BASE}/{{number}}.root.json", self._root)

    def answer(self, request):
        handler, parts = self._router.find(request.method, request.raw_path)
        if not handler:
            return uptane_error(404, "not_found", f"no {request.method} {request.path}")
        try:
            name = request.headers.get("X-Rehearsal-Certificate", "")
            device = self._cloud.devices.device(name.removeprefix("CN="))
            return handler(request, device, **parts)
        except Refused as refused:
            return uptane_error(refused.status, refused.code, refused.text)
        except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            return uptane_error(400, "malformed_request", f"{type(error).__name__}: {error}")

    def _register(self, request, device):
        """A device names its ECUs and their keys, once; the first time it is activated."""
        body = request.json()
        manifests.register(device, body["primary_ecu_serial"], body["ecus"])
        device.activated_at = device.activated_at or rfc3339(now())
        return Response(201)

    def _manifest(self, request, device):
        manifests.accept(device, request.json())
        device.manifests.append(hashlib.sha256(request.body).hexdigest())
        if self._cloud.settings.manifest_is_seen:
            device.last_seen = rfc3339(now())
        return Response(200, b"OK", {"Content-Type": "text/plain"})

    def _root(self, _request, device, number=None):
        """Whoever asks for a root is alive, the cloud believes."""
        device.last_seen = rfc3339(now())
        if device.status == "NotSeen":
            device.status = "UpToDate"
        version = number or self._cloud.account.director.latest.version
        data = self._cloud.published().get(f"director/{version}.root")
        return Response.role(data) if data else uptane_error(404, "missing_entity", "no such root")
