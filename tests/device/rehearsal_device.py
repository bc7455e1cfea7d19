# SPDX-License-Identifier: Apache-2.0
"""The rehearsal device: what airlock-device finds on a Torizon device, in a folder.

The client's configuration lies where Torizon OS has it, and so do the first roots of a device that was
provisioned offline. There is no client: what is unpacked is held against what the client expects.
"""

import json
import os
import shutil
import subprocess

AIRLOCK_DEVICE = os.environ["AIRLOCK_DEVICE"]
SOURCE = "/var/airlock/update"


class Device:
    def __init__(self, root, hardware, others=()):
        self.root = root
        self.update = self.beneath(SOURCE)
        self.write("/usr/lib/sota/conf.d/40-hardware-id.toml",
                   f'[provision]\nprimary_ecu_hardware_id = "{hardware}"\n')
        self.write("/usr/lib/sota/conf.d/60-secondaries.toml",
                   '[uptane]\nsecondary_config_file = "/usr/lib/sota/secondaries.json"\n')
        self.write("/usr/lib/sota/secondaries.json",
                   json.dumps({"rehearsal": [{"ecu_hardware_id": name} for name in others]}))
        self.configure()

    def beneath(self, path):
        return self.root / path.lstrip("/")

    def write(self, path, text):
        file = self.beneath(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def configure(self, source=SOURCE, enabled=True, packages="none"):
        self.write("/etc/sota/conf.d/90-airlock.toml",
                   f'[pacman]\ntype = "{packages}"\n\n[uptane]\n'
                   f'enable_offline_updates = {str(enabled).lower()} # as a person writes it\n'
                   f"offline_updates_source = '{source}'\n")

    def provision(self, director_root, image_root):
        """The first roots, as files."""
        for repo, root in (("director", director_root), ("repo", image_root)):
            folder = self.beneath(f"/var/sota/import/{repo}")
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(root, folder / "root.json")

    def trust(self, *keys):
        self.write("/etc/airlock/signers", "".join(f"{key} packer-{i}\n" for i, key in enumerate(keys)))

    def start(self, *words, before=()):
        return subprocess.Popen([*before, AIRLOCK_DEVICE, *map(str, words), "--root", self.root],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                start_new_session=True)
