#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The rehearsal device for tests/demo.sh.

    demo.py make ROOT TRUST    a device in the folder ROOT, with the first roots of TRUST (airlock trust export)
    demo.py look ROOT          its update client looks once at the folder that it polls
"""

import sys
from pathlib import Path

from rehearsal_client import RehearsalClient
from rehearsal_device import Device

PRIMARY = "verdin-imx8mm"


def main():
    verb, root, *words = sys.argv[1:]
    device = Device(Path(root), PRIMARY, ["pump-controller-mcu", "pump-recipes"])
    if verb == "make":
        [trust] = map(Path, words)
        device.write("/etc/hostname", "pump-7\n")
        device.beneath("/var").mkdir(exist_ok=True)
        device.provision(trust / "director/root.json", trust / "repo/root.json")
        return
    outcome, why = RehearsalClient(device, PRIMARY, "pump-7").look()
    print("the device's client:", " ".join(filter(None, (outcome, why))))


main()
