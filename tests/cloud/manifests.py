# SPDX-License-Identifier: Apache-2.0
"""What the director makes of a vehicle manifest: the rules of the public server, with their dangers.

Nobody asks how old a manifest is: an old one rolls the versions back that the cloud shows. A report, good or
bad, of which no image is what an open assignment wants cancels every open assignment.
"""

import base64
import hashlib
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from account import Refused

NOTHING = {"filepath": "unknown", "size": 0, "hash": {"sha256": hashlib.sha256().hexdigest()}}


def register(device, primary, ecus):
    if primary not in [ecu["ecu_serial"] for ecu in ecus]:
        raise Refused(400, "primary_is_not_listed_for_device",
                      "The given primary ecu isn't part of ecus for the device")
    device.ecu_keys = {ecu["ecu_serial"]: ecu["clientKey"] for ecu in ecus}
    device.components = [{"id": ecu["ecu_serial"], "hardwareId": ecu["hardware_identifier"],
                          "primary": ecu["ecu_serial"] == primary, "image": NOTHING} for ecu in ecus]


def accept(device, manifest):
    primary = next((part["id"] for part in device.components if part["primary"]), None)
    if primary not in device.ecu_keys:
        raise Refused(404, "device_missing_primary_ecu",
                      f"This server does not have a primary ecu for {device.uuid}")
    _check(manifest, device.ecu_keys[primary], f"Invalid primary ecu ({primary}) signature")
    signed = manifest["signed"]
    for serial, ecu in signed["ecu_version_manifests"].items():
        if serial not in device.ecu_keys:
            raise _not_valid(f"Device has no ECU with {serial}")
        _check(ecu, device.ecu_keys[serial], f"ecu manifest for {serial} not signed with its key")
    if signed["primary_ecu_serial"] != primary:
        raise Refused(400, "ecu_not_primary",
                      "The claimed primary ECU is not the primary ECU for the device")
    images = {serial: _image(ecu["signed"]["installed_image"])
              for serial, ecu in signed["ecu_version_manifests"].items()}
    _settle_assignments(device, images, signed.get("installation_report"))
    for part in device.components:
        part["image"] = images.get(part["id"], part["image"])


def _settle_assignments(device, images, report):
    done = [assignment for assignment in device.assignment
            if any(_image(target["image"]) == images.get(serial)
                   for serial, target in assignment["targets"].items())]
    failed = report is not None and not report["report"]["result"]["success"]
    if report is not None and (failed or not done):
        device.assignment = []
    else:
        device.assignment = [one for one in device.assignment if one not in done]


def _image(image):
    return {"filepath": image["filepath"], "size": image["fileinfo"]["length"],
            "hash": {"sha256": image["fileinfo"]["hashes"]["sha256"]}}


def _check(signed_object, key, complaint):
    message = json.dumps(signed_object["signed"], sort_keys=True, separators=(",", ":"),
                         ensure_ascii=False).encode()
    if not any(_is_signed(message, base64.b64decode(signature["sig"]), key)
               for signature in signed_object["signatures"]):
        raise _not_valid(complaint)


def _is_signed(message, signature, key):
    public = key["keyval"]["public"]
    try:
        if key["keytype"].upper() == "ED25519":
            ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(signature, message)
        else:
            load_pem_public_key(public.encode()).verify(
                signature, message, padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO),
                hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _not_valid(text):
    return Refused(400, "signature_not_valid", f"The given signature is not valid: {text}")
