# SPDX-License-Identifier: Apache-2.0
"""What is known of the device: its roots and ECUs, what it has stored and installed, its clock."""

import copy
import json

from box import (DELEGATED, IMAGE_SNAPSHOT, NOW, OTHER, PAST, PRIMARY, SECONDARY, SNAPSHOT, TARGETS, entry, nth_key,
                 put, sign)
from random_case import DATES, NEXT_SECOND, REPOS, change
from signer import Ed25519Key


def know_roots(case):
    case.state["roots"] = {}
    for repo, field in zip(REPOS, ("director", "image_repo")):
        last = case.box.trust[repo]
        first = case.choose(1, last)
        case.state["roots"][field] = [case.box.documents[f"{repo}/{n}.root"] for n in range(first, last + 1)]


def know_ecus(case):
    if "ecus" in case.state:
        return
    ecus = case.state["ecus"] = []
    for hardware in case.hardware:
        ecus.append({"hardware_id": hardware, **({"primary": True} if not ecus else known_roots(case))})
    if case.may(0.1):
        ecus.append({"hardware_id": case.choose(*case.hardware), **known_roots(case)})


def known_roots(case):
    if case.may(0.2):
        return {}
    return {"roots": {field: case.rng.randint(0, case.box.trust[repo])
                      for repo, field in zip(REPOS, ("director", "image_repo"))}}


FIELDS = {SNAPSHOT: "offline_snapshot", IMAGE_SNAPSHOT: "image_snapshot", TARGETS: "image_targets"}


@change
def stored_roles(case):
    for path in case.rng.sample([*FIELDS, DELEGATED], case.choose(1, 1, 2, 3)):
        store(case, path)
    if case.may(0.5):  # so that the stick is newer
        for path in (SNAPSHOT, IMAGE_SNAPSHOT, TARGETS, DELEGATED):
            case.box.put(path, version=2)


@change
def stored_alone(case):
    store(case, case.choose(*FIELDS, DELEGATED))


def store(case, path):
    how = case.choose("same", "older", "newer", "equal", "version", "expired", "listing", "empty")
    step = case.choose(-1, 1, 1)
    signer = case.choose("as it is", "as it is", "as it is", "stranger")

    def add():
        if path not in case.box.documents:
            return
        signed = copy.deepcopy(case.box.documents[path].get("signed", {}))
        version = signed.get("version", 1)
        meta = signed.get("meta", {})
        if how == "older":
            signed["version"] = max(1, version - 1)
        elif how in ("newer", "expired", "listing", "empty"):
            signed["version"] = min(version + 1, (1 << 31) - 1) if isinstance(version, int) else version
        if how in ("older", "equal"):
            signed["comment"] = "another day"
        if how == "expired":
            signed["expires"] = PAST
        if how in ("listing", "older"):
            for listed in meta.values():
                if isinstance(listed, dict) and isinstance(listed.get("version"), int):
                    listed["version"] = max(1, listed["version"] + step)
        if how == "empty" and "meta" in signed:
            signed["meta"] = {}
        if how == "version":
            document = {"version": max(1, version + step) if isinstance(version, int) else 1}
        elif how == "same":
            document = case.box.documents[path]
        else:
            keys = case.keys(path) if signer == "as it is" or how == "older" else [nth_key(Ed25519Key, 1000)]
            document = {"signatures": [sign(key, signed) for key in keys], "signed": signed}
        if path == DELEGATED:
            case.stored.setdefault("delegations", {})["team"] = document
        else:
            case.stored[FIELDS[path]] = document
    case.later.append(add)
    case.plan.append(f"stored {path}: {how} {step} {signer}")


@change
def stored_where_others_read(case):
    """The primary goes by what it has stored; an ECU behind it reads the stick's, with which something is wrong."""
    path = case.choose(*FIELDS)
    harm = case.choose("expired", "forged", "listing", "none")
    case.hardware = (PRIMARY, SECONDARY)
    case.box.trust.update({repo: len(case.box.roots[repo]) for repo in REPOS})
    versions = {field: case.box.trust[repo] for repo, field in zip(REPOS, ("director", "image_repo"))}
    case.state["ecus"] = [{"hardware_id": PRIMARY, "primary": True}, {"hardware_id": SECONDARY, "roots": versions}]

    def add():
        signed = copy.deepcopy(case.box.documents[path].get("signed", {}))
        signed.update(version=2)
        case.stored[FIELDS[path]] = {"signatures": [sign(key, signed) for key in case.keys(path)], "signed": signed}
        document = copy.deepcopy(case.box.documents[path])
        if harm == "expired":
            document["signed"]["expires"] = PAST
        elif harm == "listing" and "meta" in document.get("signed", {}):
            document["signed"]["meta"].pop(case.choose("pump.json", "targets.json"), None)
        keys = [nth_key(Ed25519Key, 1000)] if harm == "forged" else case.keys(path)
        document["signatures"] = [sign(key, document.get("signed")) for key in keys]
        put(case.folder / f"{path}.json", json.dumps(document).encode())
    case.later.append(add)
    case.later.append(lambda: know_roots(case))
    case.plan.append(f"{path}: {harm}")


@change
def other_roots_than_the_device_has(case):
    """Of those that it holds the primary does not look at the stick's; an ECU behind it may have to."""
    repo = case.choose(*REPOS)
    path = f"{repo}/{case.rng.randint(1, case.box.trust[repo])}.root"
    harm = case.choose("changed", "gone", "too large", "method", "no JSON")

    def add():
        document = copy.deepcopy(case.box.documents[path])
        if harm == "gone":
            (case.folder / f"{path}.json").unlink(missing_ok=True)
            return
        if harm == "changed":
            document.get("signed", {}).update(extra=1)
        elif harm == "too large":
            document["padding"] = "x" * (64 << 10)
        elif harm == "method":
            document["signatures"] = [{"keyid": "00", "method": "other", "sig": "AAAA"}]
        put(case.folder / f"{path}.json", b"{" if harm == "no JSON" else json.dumps(document).encode())
    case.later.append(add)
    case.allow("bad-role", "bad-json")
    case.plan.append(f"{path}: {harm}")


@change
def installed(case):
    def add():
        know_ecus(case)
        for ecu in case.state["ecus"]:
            if case.may(0.7):
                ecu["installed"] = package(case, ecu)
    case.later.append(add)


def package(case, ecu):
    """One that the lockbox brings, perhaps with other content, or another one."""
    lockbox = case.box.lockboxes["pump"]
    name = case.choose(*lockbox, "another-0")
    target = lockbox.get(name, entry(b"old", [ecu["hardware_id"]]))
    digest = target.get("hashes", {}).get("sha256", "00" * 32).lower()
    has = {"name": name, "length": target["length"], "sha256": digest}
    if case.may(0.3):
        has["hardware_ids"] = case.choose(target.get("custom", {}).get("hardwareIds", []), [ecu["hardware_id"]],
                                          [OTHER, ecu["hardware_id"]])
    return case.choose(has, has, has, {**has, "length": has["length"] + 1}, {**has, "sha256": "11" * 32}, None)


@change
def package_managers(case):
    case.state["package_manager"] = case.choose("none", "none", "ostree")


@change
def pending(case):
    if case.may(0.4):
        case.state["pending_install"] = True


@change
def clocks(case):
    case.state["clock_checked_at"] = NOW
    case.state["clock"] = case.choose(PAST, NOW, NEXT_SECOND, "2026-11-22T00:00:00Z")
    case.box.expires[case.role()] = case.choose(*DATES)
