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


def plug_in(folder, number="8:17", label="UPDATES", file_system="vfat", divided=True):
    """The words before a command that lets it see the stick; `number` is that of what is mounted."""
    text = DISK.format(sectors=SECTORS)
    if divided:
        text += "\n" + PARTITION.format(sectors=SECTORS, number=number, label=label, file_system=file_system)
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
def udisks(unmount="", can_power_off=True):
    """`unmount` is Python that the mock runs for Unmount. Yields what the mock was asked, as a function."""
    with system_bus():
        address = ENV["DBUS_SYSTEM_BUS_ADDRESS"]
        mock = subprocess.Popen(["/usr/bin/python3", "-m", "dbusmock", SERVICE, ROOT, f"{SERVICE}.Manager"],
                                env=os.environ | {"DBUS_SESSION_BUS_ADDRESS": address},
                                stdout=subprocess.PIPE, text=True)
        connection = dbus.bus.BusConnection(address)
        try:
            wait_for(connection)
            fill(connection, unmount, can_power_off)
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


def fill(connection, unmount, can_power_off):
    root, drive = mock_of(connection, ROOT), f"{ROOT}/drives/Rehearsal"
    block = {"Drive": dbus.ObjectPath(drive)}
    for name in ("sdb", "sdb1"):
        root.AddObject(f"{ROOT}/block_devices/{name}", f"{SERVICE}.Block", block, [])
    mock_of(connection, f"{ROOT}/block_devices/sdb1").AddMethod(f"{SERVICE}.Filesystem", "Unmount", "a{sv}", "", unmount)
    root.AddObject(drive, f"{SERVICE}.Drive", {"CanPowerOff": can_power_off}, [("PowerOff", "a{sv}", "", "")])


def calls(connection):
    """Names of the methods that were called, in the order of time."""
    said = []
    for path in ("block_devices/sdb1", "drives/Rehearsal"):
        said += [(int(when), str(name)) for when, name, _ in mock_of(connection, f"{ROOT}/{path}").GetCalls()]
    return [name for _, name in said]
