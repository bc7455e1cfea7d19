# SPDX-License-Identifier: Apache-2.0
"""A device's journal, written by systemd's own programs, so that a real journalctl reads it.

    Journal(root).write(["Event: AllInstallsComplete, Result - OK"])
"""

import os
import subprocess
import time

REMOTE = "/lib/systemd/systemd-journal-remote"
JOURNALCTL = "/usr/bin/journalctl"
MACHINE = "0123456789abcdef0123456789abcdef"


class Journal:
    """In the file system `root`, which gets this computer's journalctl."""

    def __init__(self, root):
        self.folder = root / "var/log/journal" / MACHINE
        self.folder.mkdir(parents=True)
        (root / "etc").mkdir(exist_ok=True)
        (root / "etc/machine-id").write_text(MACHINE + "\n")
        (root / "usr/bin").mkdir(parents=True, exist_ok=True)
        (root / "usr/bin/journalctl").symlink_to(JOURNALCTL)
        self.time = time.time_ns() // 1000

    def write(self, messages, unit="aktualizr-torizon.service", ago_s=0):
        """In the form for export (systemd's JOURNAL_EXPORT_FORMATS), as binary fields."""
        entries = b""
        for message in messages:
            self.time += 1000
            if isinstance(message, str):
                message = message.encode()
            entries += b"".join(f"{key}={value}\n".encode() for key, value in {
                "__REALTIME_TIMESTAMP": self.time - ago_s * 1000000, "__MONOTONIC_TIMESTAMP": 1, "_BOOT_ID": MACHINE,
                "_MACHINE_ID": MACHINE, "_SYSTEMD_UNIT": unit, "PRIORITY": 6}.items())
            entries += b"MESSAGE\n" + len(message).to_bytes(8, "little") + message + b"\n\n"
        name = f"part{len(os.listdir(self.folder))}.journal"
        subprocess.run([REMOTE, "-o", self.folder / name, "-"], input=entries, check=True, capture_output=True)
