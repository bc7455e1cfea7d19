#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Vehicle manifests for t_vehicle_manifest, signed by another library than ours, and the keys that go with them.

    make_manifests.py FOLDER     <case>.json, and keys: "<name> <serial> <type> <value with | for line feeds>"
"""

import copy
import json
import sys
from pathlib import Path

from client import Device, Ecu

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
mcu = Ecu()
rsa_mcu = Ecu("rsa")
pump = Device("pump", secondaries=[mcu])
press = Device("press", "rsa", secondaries=[rsa_mcu])
named = Device("named", serial="press-line-3")
other = Ecu()


def write(name, value):
    (out / f"{name}.json").write_text(value if isinstance(value, str) else json.dumps(value))


def changed(device, change, sign=True):
    """A manifest in which change() altered what is signed: before it is signed, or after."""
    what = device.vehicle(counter=42)
    if sign:
        change(what)
    whole = device.sign(what)
    if not sign:
        change(whole["signed"])
    return whole


def report(what):
    return what["installation_report"]["report"]


def swap(what):
    versions = what["ecu_version_manifests"]
    versions[pump.serial], versions[mcu.serial] = versions[mcu.serial], versions[pump.serial]


write("ed25519", pump.manifest(counter=42))
write("rsa", press.manifest(counter=7, code="INSTALL_FAILED", description="no room"))
write("spaced", json.dumps(json.loads(pump.manifest(counter=42)), indent=3))
write("named", named.manifest())
write("pending", pump.manifest(code="NEED_COMPLETION"))
write("silent", pump.manifest(report=False))
write("text", pump.manifest(counter=42, code="INSTALL_FAILED", description="Müll \U0001f600 \x1b[31m\n"))
write("custom", changed(pump, lambda what: what.update(custom={"a": [1, 1.5, -0.25, 1e100, True, None]})))
write("foreign", changed(pump, lambda what: None) | {"signatures": other.sign({})["signatures"]})
write("two", {"signed": (signed := pump.sign(pump.vehicle(counter=42)))["signed"],
              "signatures": other.sign(signed["signed"])["signatures"] + signed["signatures"]})
write("renamed", pump.sign(pump.vehicle(counter=42), key_id="00" * 32))
write("forged", changed(pump, lambda what: report(what)["result"].update(success=False), sign=False))
forged_ecu = pump.vehicle(counter=42)
forged_ecu["ecu_version_manifests"][mcu.serial]["signed"]["installed_image"]["filepath"] = "other"
write("forged-ecu", pump.sign(forged_ecu))

# ---- of a wrong form ----
good = pump.sign(pump.vehicle(counter=42))
for path in ("signatures", "signed", "signed.primary_ecu_serial", "signed.ecu_version_manifests",
             "signed.installation_report.report", "signed.installation_report.report.result",
             "signed.installation_report.report.result.success", "signed.installation_report.report.result.code",
             "signed.installation_report.report.items", "signed.installation_report.report.correlation_id",
             f"signed.ecu_version_manifests.{mcu.serial}.signed.ecu_serial",
             f"signed.ecu_version_manifests.{mcu.serial}.signed.installed_image.fileinfo.hashes.sha256",
             f"signed.ecu_version_manifests.{mcu.serial}.signatures"):
    for kind, value in (("lacks", None), ("wrong", 5), ("empty", []), ("number", {"a": "b"})):
        bad = copy.deepcopy(good)
        *way, last = path.split(".")
        inner = bad
        for key in way:
            inner = inner[key]
        if kind == "lacks":
            del inner[last]
        elif type(inner[last]) is not type(value):
            inner[last] = value
        else:
            continue
        write(f"bad-{kind}-{path.replace(mcu.serial, 'mcu')}", bad)
write("bad-swapped", changed(pump, swap))
write("bad-counter", changed(pump, lambda what: what["ecu_version_manifests"][pump.serial]["signed"].update(
    report_counter="4x")))
write("bad-item-twice", changed(pump, lambda what: report(what)["items"].append(report(what)["items"][0])))
write("bad-item-unknown", changed(pump, lambda what: report(what)["items"][0].update(ecu="x")))
write("bad-65-ecus", Device("crowd", secondaries=[Ecu() for _ in range(64)]).manifest())
write("bad-9-signatures", good | {"signatures": good["signatures"] * 9})
write("bad-key-twice", json.dumps(good).replace('"signed":', '"signed": {}, "signed":', 1))
write("bad-trailing", json.dumps(good) + "x")

(out / "keys").write_text("".join(
    f"{name} {ecu.serial} {ecu.type} {ecu.public.replace(chr(10), '|')}\n"
    for name, ecu in (("pump", pump), ("mcu", mcu), ("press", press), ("rsa-mcu", rsa_mcu), ("named", named),
                      ("other", other))))
