# SPDX-License-Identifier: Apache-2.0
"""The whole rehearsal cloud as one object, shared by all doors and the control socket.

Whoever calls into it holds `lock`: requests change state (a plain GET may sign
a new root), and the control socket does so between two requests.
"""

import os
import threading
from dataclasses import dataclass, field, fields
from pathlib import Path

from account import Account, Lifetimes
from certificates import Authority
from devices import DeviceRegistry, credentials_zip
from faults import FaultTable
from packages import PackageStore
from tamper import Publisher
from tokens import TokenDesk

ORIGINS = ("api", "token", "gateway", "dgw", "ostree", "store", "feed", "plain")


@dataclass
class Settings:
    """Switches of `rehearsal ctl DIR set KEY VALUE`; a dash stands for the underscore."""

    token_lifetime: int = 300
    presign_lifetime: int = 86400
    rate_limit: int = 100_000
    rate_window: int = 60
    api_client_on_door_two: bool = False
    credentials_client_on_v2: bool = False
    require_bearer: bool = True
    notes_as_string: bool = False
    manifest_is_seen: bool = False
    offline_snapshot_days: int = 365
    root_days: int = 365
    role_days: int = 365
    lockbox_days: int = 365

    def change(self, key, text):
        name = key.replace("-", "_")
        kinds = {f.name: f.type for f in fields(self)}
        if name not in kinds:
            raise ValueError(f"no setting '{key}'; known: "
                             + ", ".join(k.replace("_", "-") for k in kinds))
        if kinds[name] is bool:
            if text not in ("yes", "no"):
                raise ValueError(f"'{key}' takes yes or no")
            setattr(self, name, text == "yes")
        else:
            setattr(self, name, int(text))


@dataclass
class Cloud:
    folder: Path
    ports: dict
    account: Account
    settings: Settings
    static_targets: bool = False
    tampers: list = field(default_factory=list)

    def __post_init__(self):
        self.lock = threading.RLock()
        self.checkpoints = {}
        self.faults = FaultTable()
        self._publisher = Publisher()
        self.tokens = TokenDesk(self.settings)
        self.devices = DeviceRegistry()
        self.device_authority = Authority("Rehearsal cloud devices")
        self.packages = PackageStore(self.folder, self.account, self.static_targets)

    def url(self, origin, path=""):
        scheme = "http" if origin == "plain" else "https"
        return f"{scheme}://localhost:{self.ports[origin]}{path}"

    def credentials_of(self, device):
        """The ZIP for a device; each one made has a key of its own, and all of them count."""
        return credentials_zip(device, self.device_authority,
                               (self.folder / "dgw-ca.pem").read_bytes(), self.url("dgw"))

    def apply_settings(self):
        self.account.lifetimes = Lifetimes(
            root=self.settings.root_days, role=self.settings.role_days,
            lockbox=self.settings.lockbox_days,
            offline_snapshot=self.settings.offline_snapshot_days)

    def published(self):
        """{role name: bytes} of every role that is served at this moment."""
        return self._publisher.publish(self.account.roles(), self.tampers)

    def add_tamper(self, new):
        """Refuses, before it takes effect, a tamper that cannot be applied."""
        self._publisher.publish(self.account.roles(), [*self.tampers, new])
        self.tampers.append(new)

    def serve_ostree(self, link, repository):
        """`link` is "ostree" (the account's TreeHub) or "feed" (the public one)."""
        target = self.folder / link
        target.unlink(missing_ok=True)
        os.symlink(repository, target)
