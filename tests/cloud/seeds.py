# SPDX-License-Identifier: Apache-2.0
"""Accounts to start with."""

import hashlib
from datetime import timedelta

from repository import now, rfc3339


def empty(_cloud):
    """Keys and empty roles, nothing else."""


def demo(cloud):
    """A maker of pumps and presses: three lockboxes, four packages, three devices.

    pump-7      a bootloader, firmware and a configuration set (through a delegation)
    press-line  expired yesterday
    valve-9     revoked: it holds nothing any more
    """
    add, account = cloud.packages.add, cloud.account
    bootloader = add("bootloader/verdin-imx8mm", "6.8.0", ["verdin-imx8mm"],
                     [_noise("bootloader", 256 << 10)])
    firmware = add("pump-controller", "2.4.1", ["pump-controller-mcu"],
                   [_noise("firmware 2.4.1", 384 << 10)])
    press = add("press-controller", "1.9.0", ["press-controller-mcu"],
                [_noise("press 1.9.0", 128 << 10)])
    recipes = add("pump-recipes", "2026.11", ["pump-recipes"], [_recipes(8 << 20)],
                  role="tdx-containers")
    account.define_lockbox("pump-7", [bootloader.target, firmware.target, recipes.target])
    account.define_lockbox("press-line", [press.target], now() - timedelta(days=1))
    account.define_lockbox("valve-9", [press.target])
    account.define_lockbox("valve-9", [])
    account.rotate("director")
    account.rotate("repo")
    hall = cloud.devices.add_fleet("hall-3")
    _pump(cloud, "pump-7-west", hall)
    _pump(cloud, "pump-7-east", hall)
    cloud.devices.add("press-line-2", "Press line 2")


def _pump(cloud, device_id, fleet):
    seen = rfc3339(now() - timedelta(days=40))
    cloud.devices.add(
        device_id, device_id.replace("-", " ").capitalize(), [fleet.id],
        last_seen=seen, activated_at=seen, status="UpToDate", tags={"site": "Linz"},
        notes="Spare part in cabinet B.\n",
        components=[
            _component(f"{device_id} primary", "verdin-imx8mm", True,
                       "bootloader/verdin-imx8mm-6.7.2", _noise("6.7.2", 256 << 10)),
            _component(f"{device_id} mcu", "pump-controller-mcu", False,
                       "pump-controller-2.3.0", _noise("firmware 2.3.0", 384 << 10)),
        ])


def _component(serial_text, hardware_id, primary, target, content):
    return {
        "id": hashlib.sha256(serial_text.encode()).hexdigest(),
        "hardwareId": hardware_id,
        "primary": primary,
        "image": {"filepath": target, "size": len(content),
                  "hash": {"sha256": hashlib.sha256(content).hexdigest()}},
    }


def _noise(label, size):
    """Incompressible, and the same in every run."""
    return hashlib.shake_256(label.encode()).digest(size)


def _recipes(size):
    """Compressible about as well as real configuration."""
    lines, total, number = [], 0, 0
    while total < size:
        pressure = hashlib.sha256(str(number).encode()).hexdigest()[:4]
        line = (f"recipe-{number:06d}: {{valve: {number % 12}, pressure_mbar: 0x{pressure}, "
                f"ramp_s: {number % 7}, medium: water}}\n")
        lines.append(line)
        total += len(line)
        number += 1
    return "".join(lines).encode()[:size]


SEEDS = {"demo": demo, "empty": empty}
