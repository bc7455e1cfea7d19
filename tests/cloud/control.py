# SPDX-License-Identifier: Apache-2.0
"""The control commands: what `rehearsal ctl` asks of a running cloud.

A command is a JSON object with "verb" and that verb's arguments; its answer is
{"ok": true, "result": …} or {"ok": false, "error": text}. The socket is no part
of the cloud's doors: a product under test never learns of it.
"""

import json
from dataclasses import asdict
from pathlib import Path

import credentials
from account import Refused
from faults import Fault
from frontend import REQUEST_LOG
from packages import file_chunks, random_chunks
from repository import parse_rfc3339
from tamper import Tamper

SOCKET = "control.sock"
PID_FILE = "server.pid"


def run(cloud, command):
    verb = VERBS[command.pop("verb")]
    try:
        with cloud.lock:
            return {"ok": True, "result": verb(cloud, **command)}
    except (Refused, ValueError, KeyError, OSError) as error:
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}


def _package_add(cloud, name, version, hwid, target, file, random, commit, role, uri,
                 target_format):
    hosted = uri == "hosted"
    details = {"target": target, "role": role, "uri": None if hosted else uri,
               "target_format": target_format or ("OSTREE" if commit else "BINARY")}
    if commit:
        package = cloud.packages.add_ostree(name, version, hwid, commit, **details)
        return _package_info(cloud, package)
    chunks = file_chunks(file) if file else random_chunks(random)
    package = cloud.packages.add(name, version, hwid, chunks, **details)
    if hosted:
        key = cloud.packages.key_of(package.target)
        cloud.account.set_uri(package.target, cloud.url("store", f"/public/{key}"))
    return _package_info(cloud, package)


def _package_list(cloud):
    return [_package_info(cloud, package) for package in cloud.account.packages.values()]


def _package_info(cloud, package):
    return {**asdict(package), "object": cloud.packages.key_of(package.target)}


def _package_corrupt(cloud, target, flip, truncate, append):
    cloud.packages.corrupt(target, flip, truncate, append)
    return {"target": target, "object": cloud.packages.key_of(target)}


def _delegation_add(cloud, role, path, terminating):
    cloud.account.add_delegation(role, path, terminating)
    return {"role": role, "paths": path, "terminating": terminating}


def _delegation_list(cloud):
    return list(cloud.account.delegations)


def _lockbox_define(cloud, name, targets, expires):
    cloud.account.define_lockbox(name, targets, expires and parse_rfc3339(expires))
    return cloud.account.lockboxes[name].signed


def _lockbox_delete(cloud, name):
    cloud.account.delete_lockbox(name)
    return {"deleted": name}


def _device_add(cloud, device_id, name, components, assignment, notes, fleet):
    device = cloud.devices.add(device_id, name, fleet, components=components or [],
                               assignment=assignment or [], notes=notes)
    return _device_show(cloud, device.uuid)


def _device_set(cloud, uuid, components, assignment, notes, last_seen):
    device = cloud.devices.device(uuid)
    for name, value in (("components", components), ("assignment", assignment),
                        ("notes", notes), ("last_seen", last_seen)):
        if value is not None:
            setattr(device, name, value)
    return _device_show(cloud, uuid)


def _device_list(cloud):
    return [device.basic() for device in cloud.devices.devices.values()]


def _device_show(cloud, uuid):
    device = cloud.devices.device(uuid)
    return {**device.basic(), "components": device.components, "assignment": device.assignment,
            "manifests": device.manifests}


def _device_credentials(cloud, uuid, path):
    Path(path).write_bytes(cloud.credentials_of(cloud.devices.device(uuid)))
    return {"path": path}


def _fleet_add(cloud, name):
    return cloud.devices.add_fleet(name).info()


def _fleet_list(cloud):
    return [fleet.info() for fleet in cloud.devices.fleets.values()]


def _rotate(cloud, repository, times, every_role):
    for _ in range(times):
        cloud.account.rotate(repository, every_role)
    chain = {"director": cloud.account.director, "repo": cloud.account.image}[repository]
    return {"version": chain.latest.version}


def _restart(cloud, what, repository):
    {"roots": cloud.account.restart_roots,
     "versions": cloud.account.restart_versions}[what](repository)
    return {"restarted": what}


def _checkpoint(cloud, name):
    cloud.checkpoints[name] = cloud.account.checkpoint()
    return {"checkpoint": name}


def _restore(cloud, name):
    cloud.account.restore(cloud.checkpoints[name])
    return {"restored": name}


def _expire_tokens(cloud):
    return {"expired": cloud.tokens.expire_all()}


def _fault_add(cloud, match, kind, options, times, skip):
    fault = Fault(match, kind, options, times, skip)
    cloud.faults.add(fault)
    return asdict(fault)


def _fault_list(cloud):
    return [asdict(fault) for fault in cloud.faults.faults]


def _fault_clear(cloud):
    cloud.faults.clear()
    return []


def _tamper_add(cloud, role, mode, options):
    new = Tamper(role, mode, options)
    cloud.add_tamper(new)
    return asdict(new)


def _tamper_list(cloud):
    return [asdict(tamper) for tamper in cloud.tampers]


def _tamper_clear(cloud):
    cloud.tampers.clear()
    return []


def _set(cloud, key, value):
    cloud.settings.change(key, value)
    cloud.apply_settings()
    return asdict(cloud.settings)


def _ostree(cloud, link, repository):
    if not (Path(repository) / "config").is_file():
        raise ValueError(f"'{repository}' is no OSTree repository")
    cloud.serve_ostree(link, repository)
    return {link: repository}


def _credentials(cloud, path, roots, director_root, no_auth):
    credentials.write_credentials(cloud, path, roots, director_root, no_auth)
    return {"path": path}


def _log(cloud, clear):
    path = cloud.folder / REQUEST_LOG
    entries = [json.loads(line) for line in path.read_text(errors="replace").splitlines()]
    if clear:
        # nginx appends, so a file cut to nothing goes on from its start.
        path.write_bytes(b"")
    return entries


VERBS = {
    "package-add": _package_add,
    "package-list": _package_list,
    "package-corrupt": _package_corrupt,
    "delegation-add": _delegation_add,
    "delegation-list": _delegation_list,
    "lockbox-define": _lockbox_define,
    "lockbox-delete": _lockbox_delete,
    "device-add": _device_add,
    "device-set": _device_set,
    "device-list": _device_list,
    "device-show": _device_show,
    "device-credentials": _device_credentials,
    "fleet-add": _fleet_add,
    "fleet-list": _fleet_list,
    "rotate": _rotate,
    "restart": _restart,
    "checkpoint": _checkpoint,
    "restore": _restore,
    "expire-tokens": _expire_tokens,
    "fault-add": _fault_add,
    "fault-list": _fault_list,
    "fault-clear": _fault_clear,
    "tamper-add": _tamper_add,
    "tamper-list": _tamper_list,
    "tamper-clear": _tamper_clear,
    "set": _set,
    "ostree": _ostree,
    "credentials": _credentials,
    "log": _log,
}
