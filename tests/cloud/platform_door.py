# SPDX-License-Identifier: Apache-2.0
"""The first door: Platform API v2, with the bearer of an API client."""

import json
import math
import time

from account import Refused
from door import Response, Router, platform_error
from repository import parse_rfc3339

BASE = "/api/v2"
MAX_PAGE = 1000
DEFAULT_PAGE = 50


class PlatformDoor:
    def __init__(self, cloud):
        self._cloud = cloud
        self._window_start = 0
        self._used = 0
        self._router = Router()
        for method, template, handler in (
                ("GET", "/lockboxes", self._lockbox_names),
                ("GET", "/lockbox-details", self._lockbox_details),
                ("GET", "/lockboxes/{name}", self._lockbox),
                ("POST", "/lockboxes/{name}", self._define_lockbox),
                ("DELETE", "/lockboxes/{name}", self._delete_lockbox),
                ("GET", "/packages", self._packages),
                ("GET", "/packages/{package_id}", self._package),
                ("GET", "/packages_external/info", self._external_sources),
                ("GET", "/devices", self._devices),
                ("POST", "/devices", self._create_device),
                ("GET", "/devices/{uuid}", self._device),
                ("GET", "/devices/name/{uuid}", self._device_name),
                ("PUT", "/devices/name/{uuid}", self._set_device_name),
                ("GET", "/devices/notes/{uuid}", self._notes),
                ("PUT", "/devices/notes/{uuid}", self._set_notes),
                ("GET", "/devices/uptane/{uuid}/components", self._components),
                ("GET", "/devices/uptane/{uuid}/assignment", self._assignment),
                ("GET", "/fleets", self._fleets),
                ("GET", "/fleets/{fleet_id}", self._fleet),
                ("GET", "/fleets/{fleet_id}/devices", self._fleet_devices)):
            self._router.add(method, BASE + template, handler)

    def answer(self, request):
        response = self._limited() or self._check_bearer(request) or self._dispatch(request)
        response.headers.update(self.rate_headers())
        return response

    def rate_headers(self):
        settings = self._cloud.settings
        return {
            "X-RateLimit-Limit": str(settings.rate_limit),
            "X-RateLimit-Remaining": str(max(0, settings.rate_limit - self._used)),
            "X-RateLimit-Reset": str(self._seconds_left()),
        }

    def _dispatch(self, request):
        handler, parts = self._router.find(request.method, request.raw_path)
        if not handler:
            return platform_error(404, "not_found", f"no {request.method} {request.path}")
        try:
            return handler(request, **parts)
        except Refused as refused:
            return platform_error(refused.status, refused.code, refused.text)
        except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            return platform_error(400, "malformed_request", f"{type(error).__name__}: {error}")

    def _limited(self):
        if time.monotonic() - self._window_start >= self._cloud.settings.rate_window:
            self._window_start, self._used = time.monotonic(), 0
        if self._used >= self._cloud.settings.rate_limit:
            response = platform_error(420, "too_many_requests", "rate limit exceeded")
            response.headers["Retry-After"] = str(self._seconds_left())
            return response
        self._used += 1
        return None

    def _seconds_left(self):
        left = self._window_start + self._cloud.settings.rate_window - time.monotonic()
        return max(0, math.ceil(left))

    def _check_bearer(self, request):
        kind = self._cloud.tokens.kind_of(request.bearer())
        if kind is None:
            refusal = platform_error(401, "unauthorized", "the bearer is missing or has expired")
            refusal.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
            return refusal
        if kind == "credentials" and not self._cloud.settings.credentials_client_on_v2:
            return platform_error(403, "forbidden", "this client may not use the Platform API")
        return None

    # Lockboxes.

    def _lockbox_names(self, _request):
        return Response.json(list(self._cloud.account.lockboxes))

    def _lockbox_details(self, _request):
        """The same bytes as one by one, so that tampering shows here too."""
        published = self._cloud.published()
        members = [f"{json.dumps(name)}:".encode() + published[f"director/lockbox:{name}"]
                   for name in self._cloud.account.lockboxes
                   if f"director/lockbox:{name}" in published]
        return Response.role(b"{" + b",".join(members) + b"}")

    def _lockbox(self, request, name):
        version = request.one("version")
        if version is not None:
            return Response.role(self._cloud.account.lockbox_version(name, int(version)).data)
        data = self._cloud.published().get(f"director/lockbox:{name}")
        if data is None:
            raise Refused(404, "missing_entity", f"no lockbox {name}")
        return Response.role(data)

    def _define_lockbox(self, request, name):
        body = request.json()
        expires = body.get("expiresAt")
        custom = {target: {"userDefinedCustom": data["metadata"]}
                  for target, data in (body.get("custom") or {}).items() if data.get("metadata")}
        self._cloud.account.define_lockbox(
            name, body.get("packageIds", []), expires and parse_rfc3339(expires), custom)
        return Response(200)

    def _delete_lockbox(self, _request, name):
        self._cloud.account.delete_lockbox(name)
        return Response(200)

    # Packages.

    def _packages(self, request):
        packages = [p for p in self._cloud.account.packages.values()
                    if _package_matches(p, request)]
        by_creation = request.one("sortBy", "Filename") == "CreatedAt"
        packages.sort(key=lambda p: p.created_at if by_creation else p.target,
                      reverse=request.one("sortDirection") == "Desc")
        return _page(request, [_package_info(package) for package in packages])

    def _package(self, _request, package_id):
        package = self._cloud.account.packages.get(package_id)
        if not package:
            raise Refused(404, "missing_entity", f"no package {package_id}")
        return Response.json(_package_info(package))

    def _external_sources(self, _request):
        return Response.json({
            name: {"friendlyName": name, "expires": delegation.role.signed["expires"]}
            for name, delegation in self._cloud.account.delegations.items()})

    # Devices and fleets.

    def _devices(self, request):
        devices = [d for d in self._cloud.devices.devices.values() if _device_matches(d, request)]
        sort_key = {"DeviceId": lambda d: d.device_id, "Uuid": lambda d: d.uuid,
                    "CreatedAt": lambda d: d.created_at,
                    "ActivatedAt": lambda d: d.activated_at or "",
                    "LastSeen": lambda d: d.last_seen or ""}
        devices.sort(key=sort_key.get(request.one("sortBy"), lambda d: d.name),
                     reverse=request.one("sortDirection") == "Desc")
        return _page(request, [device.basic() for device in devices])

    def _create_device(self, request):
        body = request.json()
        device = self._cloud.devices.add(
            body["deviceId"], body.get("deviceName"), body.get("fleetIds") or (),
            hibernated=bool(body.get("hibernated")))
        return Response(200, self._cloud.credentials_of(device),
                        {"Content-Type": "application/octet-stream"})

    def _device(self, _request, uuid):
        device = self._cloud.devices.device(uuid)
        packages = self._cloud.account.packages
        return Response.json({
            **device.basic(),
            "deviceFleets": [fleet.info() for fleet in self._cloud.devices.fleets_of(device)],
            "devicePackages": [
                {"component": part["hardwareId"],
                 "installed": _package_info(packages[part["image"]["filepath"]])}
                for part in device.components if part["image"]["filepath"] in packages],
            "networkInfo": {"deviceUuid": device.uuid},
        })

    def _device_name(self, _request, uuid):
        return Response.json({"name": self._cloud.devices.device(uuid).name})

    def _set_device_name(self, request, uuid):
        self._cloud.devices.device(uuid).name = str(request.json()["name"])
        return Response(200)

    def _notes(self, _request, uuid):
        notes = self._cloud.devices.device(uuid).notes
        return Response.json(notes if self._cloud.settings.notes_as_string else {"notes": notes})

    def _set_notes(self, request, uuid):
        body = request.json()
        notes = body if self._cloud.settings.notes_as_string else body["notes"]
        if not isinstance(notes, str):
            raise Refused(400, "malformed_request", "notes are a text")
        self._cloud.devices.set_notes(uuid, notes)
        return Response(200)

    def _components(self, _request, uuid):
        return Response.json(self._cloud.devices.device(uuid).components)

    def _assignment(self, _request, uuid):
        return Response.json(self._cloud.devices.device(uuid).assignment)

    def _fleets(self, request):
        return _page(request, [fleet.info() for fleet in self._cloud.devices.fleets.values()])

    def _fleet(self, _request, fleet_id):
        return Response.json(self._cloud.devices.fleet(fleet_id).info())

    def _fleet_devices(self, request, fleet_id):
        members = self._cloud.devices.fleet(fleet_id).members
        return _page(request, [device.basic() for uuid, device in
                               self._cloud.devices.devices.items() if uuid in members])


def _page(request, values):
    offset, limit = int(request.one("offset", 0)), int(request.one("limit", DEFAULT_PAGE))
    if offset < 0 or limit < 0:
        raise Refused(400, "malformed_request", "offset and limit are not negative")
    limit = min(limit, MAX_PAGE)
    return Response.json({"values": values[offset:offset + limit], "total": len(values),
                          "offset": offset, "limit": limit})


def _package_info(package):
    info = {
        "name": package.name,
        "version": package.version,
        "packageId": package.target,
        "size": package.length,
        "hashes": {"sha256": package.sha256},
        "packageSource": f"{package.role}.json",
        "hardwareIds": package.hardware_ids,
        "createdAt": package.created_at,
    }
    return {**info, "uri": package.uri} if package.uri else info


def _package_matches(package, request):
    query = request.query
    return (request.one("idContains", "") in package.target
            and request.one("nameContains", "") in package.name
            and request.one("name", package.name) == package.name
            and request.one("version", package.version) == package.version
            and _among(query.get("packageSource"), [f"{package.role}.json"])
            and _among(query.get("packageIds"), [package.target])
            and _among(query.get("hashes"), [package.sha256])
            and _among(query.get("hardwareIds"), package.hardware_ids))


def _device_matches(device, request):
    query = request.query
    if "deviceUuid" in query or "deviceId" in query:
        return device.uuid in query.get("deviceUuid", []) \
            or device.device_id in query.get("deviceId", [])
    if "tags" in query:
        return any(f"{key}={value}" in query["tags"] for key, value in device.tags.items())
    seen = device.last_seen or ""
    return (request.one("nameContains", "") in device.name
            and request.one("status", device.status) == device.status
            and request.one("lastSeenStart", "") <= seen <= request.one("lastSeenEnd", "9999")
            and _among(query.get("hardwareIds"), [c["hardwareId"] for c in device.components]))


def _among(wanted, present):
    """Whether a repeated filter is absent or names one of `present`."""
    return wanted is None or any(value in present for value in wanted)
