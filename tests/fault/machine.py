# SPDX-License-Identifier: Apache-2.0
"""A machine of its own with a stick in it, whose power can be cut: Linux in user mode, a real vfat on an image file.

It sees the file system of this machine, read only; the stick is mounted on /mnt/stick. It needs no privilege. What its
kernel has not written to the image when the power is cut is lost, as with a stick that is pulled.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

NEEDED = ("linux.uml", "insmod", "mkfs.vfat", "fsck.vfat")
MEMORY_MB = 192
TIMEOUT_S = 120
os.environ["PATH"] += ":/usr/sbin:/sbin"

INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc none /proc
mount -t tmpfs none /mnt
for module in fs/nls/nls_cp437 fs/nls/nls_ascii fs/nls/nls_iso8859-1 fs/nls/nls_utf8 fs/fat/fat fs/fat/vfat \\
              drivers/md/dm-mod drivers/md/dm-bufio drivers/md/dm-log-writes \\
              drivers/md/dm-flakey drivers/md/dm-dust; do
  file=/usr/lib/uml/modules/$(uname -r)/kernel/$module.ko
  if [ -f "$file" ]; then insmod "$file"; fi
done
mkdir /mnt/stick && {mount} && echo MOUNTED && ( {command} )
echo "ENDED $?"
umount /mnt/stick
exec /usr/bin/python3 -c 'import ctypes; ctypes.CDLL(None).reboot(0x4321fedc)' # power off; a container has no halt
"""


def missing(*more):
    """The programs that this machine lacks: a test fails with their names, it does not pass without them."""
    return [program for program in (*NEEDED, *more) if shutil.which(program) is None]


def make_stick(image, size_mb=64):
    with open(image, "wb") as file:
        file.truncate(size_mb << 20)
    subprocess.run(["mkfs.vfat", "-F", "32", "-n", "AIRLOCK", image], check=True, stdout=subprocess.DEVNULL)


def repair(image):
    """fsck.vfat as a person would run it, then once more: what it says of the stick that it repaired."""
    first = subprocess.run(["fsck.vfat", "-a", image], capture_output=True, text=True)
    again = subprocess.run(["fsck.vfat", "-n", image], capture_output=True, text=True)
    return again.returncode, first.stdout + again.stdout


def memory_folder():
    """Where the machine keeps its memory: /dev/shm, unless that is the small one of a container."""
    if os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > 2 * MEMORY_MB << 20:
        return "/dev/shm"
    return tempfile.gettempdir()


class Machine:
    """Runs `command` by a shell with the stick mounted; `with` ends whatever is left of it.

    The stick is /dev/ubda, further disks are /dev/ubdb and so on. A command may want to mount it itself.
    """

    def __init__(self, image, command, disks=(), mounted=True):
        self.folder = Path(tempfile.mkdtemp(prefix="airlock-machine-"))
        self.folder.chmod(0o755)
        init = self.folder / "init"
        init.write_text(INIT.replace("{command}", command)
                        .replace("{mount}", "mount -t vfat /dev/ubda /mnt/stick" if mounted else "true"))
        init.chmod(0o755)
        self.console = self.folder / "console"
        with self.console.open("wb") as console:
            self.process = subprocess.Popen(
                ["linux.uml", f"mem={MEMORY_MB}M", "rootfstype=hostfs", "root=/dev/root", "ro", f"init={init}",
                 *(f"ubd{n}={disk}" for n, disk in enumerate((image, *disks))), "con=null", "con0=fd:0,fd:1", "quiet"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, "TMPDIR": memory_folder(), "HOME": str(self.folder)})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut_power()
        shutil.rmtree(self.folder)

    def said(self):
        return self.console.read_text(errors="replace")

    def wait_for(self, word):
        end = time.monotonic() + TIMEOUT_S
        while word not in self.said():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"the machine never said {word}:\n{self.said()}")
            time.sleep(0.005)

    def cut_power(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # its helpers for input and output too
        except ProcessLookupError:
            pass
        self.process.wait()

    def exit_code(self):
        """Of the command, after the stick was unmounted."""
        self.process.wait(TIMEOUT_S)
        ended = re.search(r"^ENDED (\d+)", self.said(), re.MULTILINE)
        if "MOUNTED" not in self.said() or not ended:
            raise AssertionError(f"the machine did not come up:\n{self.said()}")
        return int(ended[1])
