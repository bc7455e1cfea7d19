# SPDX-License-Identifier: Apache-2.0
"""A stick that is not there: umockdev's sysfs and udev for it, and a stand-in for udisks2 on a bus of its own.

The service is a mock, made with python-dbusmock; its Unmount really unmounts where it is given a mount point.
"""

import contextlib
import os
import subprocess

import dbus
import dbusmock

SERVICE = "org.freedesktop.UDisks2"
ROOT = "/org/freedesktop/UDisks2"
SECTORS = 16384
BLOCKS = ("sdb", "dm-0", "sdb1")
# umockdev is preloaded before the sanitizers' runtime, and the program finds the bus here.
ENV = {"ASAN_OPTIONS": "verify_asan_link_order=0"}

DISK = """P: /devices/pci0000:00/usb1/1-1/host6/block/sdb
N: sdb
E: DEVTYPE=disk
E: DEVNAME=/dev/sdb
E: SUBSYSTEM=block
E: ID_BUS=usb
E: ID_MODEL=Rehearsal_Stick
E: ID_MODEL_ENC=Rehearsal\\x20Stick\\x20\\x20
A: removable=1\\n
A: ro=0\\n
A: dev=8:16\\n
A: size={sectors}\\n
"""
PARTITION = """P: /devices/pci0000:00/usb1/1-1/host6/block/sdb/sdb1
N: sdb1
E: DEVTYPE=partition
E: DEVNAME=/dev/sdb1
E: SUBSYSTEM=block
E: ID_FS_TYPE={file_system}
E: ID_FS_LABEL_ENC={label}
A: dev={number}\\n
A: size={sectors}\\n
"""
# Upon the partition, once it is encrypted and open.
INSIDE = """A: holders/dm-0=\\n

P: /devices/virtual/block/dm-0
N: dm-0
E: DEVTYPE=disk
E: DEVNAME=/dev/dm-0
E: SUBSYSTEM=block
E: ID_FS_TYPE=vfat
E: ID_FS_LABEL_ENC=SECRET
A: removable=0\\n
A: ro=0\\n
A: dev={number}\\n
A: size={sectors}\\n
"""


def plug_in(folder, number="8:17", label="UPDATES", file_system="vfat", divided=True, inside=None):
    """The words before a command that lets it see the stick; `number` is that of what is mounted, `inside` that of
    what the stick holds encrypted."""
    text = DISK.format(sectors=SECTORS)
    if divided:
        text += "\n" + PARTITION.format(sectors=SECTORS, number=number, label=label, file_system=file_system)
        if inside:
            text += INSIDE.format(sectors=SECTORS, number=inside)
    description = folder / "stick.umockdev"
    description.write_text(text)
    return ["umockdev-run", "--device", str(description), "--"]


@contextlib.contextmanager
def system_bus():
    """A system bus with nobody on it; its address stands in ENV meanwhile."""
    bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address"],
                           stdout=subprocess.PIPE, text=True)
    try:
        ENV["DBUS_SYSTEM_BUS_ADDRESS"] = bus.stdout.readline().strip()
        yield
    finally:
        del ENV["DBUS_SYSTEM_BUS_ADDRESS"]
        bus.terminate()
        bus.wait()
        bus.stdout.close()


@contextlib.contextmanager
def udisks(unmount="", lock="", can_power_off=True):
    """`unmount` and `lock` are Python that the mock runs for Unmount and Lock. Yields what the mock was asked, as a function."""
    with system_bus():
        address = ENV["DBUS_SYSTEM_BUS_ADDRESS"]
        mock = subprocess.Popen(["/usr/bin/python3", "-m", "dbusmock", SERVICE, ROOT, f"{SERVICE}.Manager"],
                                env=os.environ | {"DBUS_SESSION_BUS_ADDRESS": address},
                                stdout=subprocess.PIPE, text=True)
        connection = dbus.bus.BusConnection(address)
        try:
            wait_for(connection)
            fill(connection, unmount, lock, can_power_off)
            yield lambda: calls(connection)
        finally:
            connection.close()
            mock.terminate()
            mock.wait()
            mock.stdout.close()


def wait_for(connection):
    """Until the mock has its name on the bus."""
    deadline = 200
    while not connection.name_has_owner(SERVICE):
        deadline -= 1
        if deadline == 0:
            raise RuntimeError("the mock of udisks2 does not come up")
        subprocess.run(["sleep", "0.05"], check=True)


def mock_of(connection, path):
    return dbus.Interface(connection.get_object(SERVICE, path), dbusmock.MOCK_IFACE)


def block_path(name):
    """udisks writes what no object path may hold as _ and two hexadecimal digits."""
    return f"{ROOT}/block_devices/{name.replace('-', '_2d')}"


def fill(connection, unmount, lock, can_power_off):
    root, drive = mock_of(connection, ROOT), f"{ROOT}/drives/Rehearsal"
    block = {"Drive": dbus.ObjectPath(drive)}
    for name in BLOCKS:
        root.AddObject(block_path(name), f"{SERVICE}.Block", block, [])
    for name in ("sdb1", "dm-0"):
        mock_of(connection, block_path(name)).AddMethod(f"{SERVICE}.Filesystem", "Unmount", "a{sv}", "", unmount)
    mock_of(connection, block_path("sdb1")).AddMethod(f"{SERVICE}.Encrypted", "Lock", "a{sv}", "", lock)
    root.AddObject(drive, f"{SERVICE}.Drive", {"CanPowerOff": can_power_off}, [("PowerOff", "a{sv}", "", "")])


def calls(connection):
    """Names of the methods that were called, in the order of time."""
    said = []
    for path in (*map(block_path, BLOCKS), f"{ROOT}/drives/Rehearsal"):
        said += [(int(when), str(name)) for when, name, _ in mock_of(connection, path).GetCalls()]
    return [name for _, name in said]
