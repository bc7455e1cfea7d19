# SPDX-License-Identifier: Apache-2.0
"""Devices and fleets of the account, as the Platform API tells of them."""

import io
import json
import uuid
import zipfile
from dataclasses import dataclass, field

from account import Refused
from repository import now, rfc3339

NOTES_MAX_BYTES = 64_000


@dataclass
class Device:
    """`components` and `assignment` are held as the API answers them; `ecu_keys` by ECU serial.

    `manifests` holds the SHA-256 of each that was accepted, in their order.
    """

    device_id: str
    name: str
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: str = field(default_factory=lambda: rfc3339(now()))
    last_seen: str = None
    activated_at: str = None
    status: str = "NotSeen"
    hibernated: bool = False
    notes: str = ""
    tags: dict = field(default_factory=dict)
    components: list = field(default_factory=list)
    assignment: list = field(default_factory=list)
    ecu_keys: dict = field(default_factory=dict)
    manifests: list = field(default_factory=list)

    def basic(self):
        info = {
            "deviceUuid": self.uuid,
            "deviceName": self.name,
            "deviceId": self.device_id,
            "lastSeen": self.last_seen,
            "createdAt": self.created_at,
            "activatedAt": self.activated_at,
            "deviceStatus": self.status,
            "notes": self.notes,
            "tags": self.tags,
            "hibernated": self.hibernated,
        }
        return {key: value for key, value in info.items() if value is not None}


@dataclass
class Fleet:
    name: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: str = field(default_factory=lambda: rfc3339(now()))
    members: set = field(default_factory=set)

    def info(self):
        return {"id": self.id, "name": self.name, "createdAt": self.created_at,
                "fleetType": "static"}


class DeviceRegistry:
    def __init__(self):
        self.devices = {}
        self.fleets = {}

    def add(self, device_id, name=None, fleet_ids=(), **details):
        if any(device.device_id == device_id for device in self.devices.values()):
            raise Refused(409, "conflicting_entity", f"device {device_id} exists")
        for fleet_id in fleet_ids:
            self.fleet(fleet_id)
        device = Device(device_id, name or f"device-{device_id}", **details)
        self.devices[device.uuid] = device
        for fleet_id in fleet_ids:
            self.fleets[fleet_id].members.add(device.uuid)
        return device

    def device(self, device_uuid):
        if device_uuid not in self.devices:
            raise Refused(404, "missing_device", f"no device {device_uuid}")
        return self.devices[device_uuid]

    def add_fleet(self, name):
        fleet = Fleet(name)
        self.fleets[fleet.id] = fleet
        return fleet

    def fleet(self, fleet_id):
        if fleet_id not in self.fleets:
            raise Refused(404, "missing_group", f"no fleet {fleet_id}")
        return self.fleets[fleet_id]

    def fleets_of(self, device):
        return [fleet for fleet in self.fleets.values() if device.uuid in fleet.members]

    def set_notes(self, device_uuid, notes):
        if len(notes.encode()) > NOTES_MAX_BYTES:
            raise Refused(400, "invalid_entity", f"notes are longer than {NOTES_MAX_BYTES} bytes")
        self.device(device_uuid).notes = notes


def credentials_zip(device, authority, gateway_ca, gateway_url):
    """What POST /devices returns: the credentials that go onto the device."""
    key, certificate = authority.certify(device.uuid)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("client.pem", certificate)
        out.writestr("pkey.pem", key)
        out.writestr("root.crt", gateway_ca)
        out.writestr("gateway.url", f"{gateway_url}\n")
        out.writestr("info.json", json.dumps({
            "deviceUuid": device.uuid, "deviceId": device.device_id, "deviceName": device.name}))
    return archive.getvalue()
