# SPDX-License-Identifier: Apache-2.0
"""Targets of the lockbox and of the image repository, and what else a lockbox holds."""

import copy

from box import BOX, OTHER, PAST, PRIMARY, SECONDARY, entry, sha256, with_name
from random_case import BOOTLOADER, PUMP, change


def entries(case, name):
    """The lists that hold a target of this name."""
    box = case.box
    lists = [*box.lockboxes.values(), box.targets, *(d.targets for d in box.delegations.values())]
    return [targets for targets in lists if name in targets]


@change
def one_side_of_a_target(case):
    name = case.choose(PUMP, BOOTLOADER)
    lists = entries(case, name)
    target = case.choose(*lists)[name] if lists else copy.deepcopy(entry(b"", []))
    how = case.choose("length", "hash", "capitals", "sha512", "both", "md5", "none", "hardware", "no hardware",
                      "format", "no custom", "order", "ecus", "no length", "odd length", "odd custom", "odd hardware",
                      "odd hash")
    digests, custom = target["hashes"], target.get("custom", {})
    if how == "length":
        target["length"] += 1
    elif how == "hash":
        digests["sha256"] = sha256(b"other")
    elif how == "capitals":
        digests["sha256"] = digests.get("sha256", "").upper()
    elif how == "sha512":
        target["hashes"] = {"sha512": "ab" * 64}
    elif how == "both":
        digests["sha512"] = "ab" * 64
    elif how == "md5":
        target["hashes"] = {"md5": "ab" * 16}
    elif how == "none":
        del target["hashes"]
    elif how == "hardware":
        custom["hardwareIds"] = case.choose([OTHER], [PRIMARY, SECONDARY], [SECONDARY, PRIMARY, OTHER], [PRIMARY] * 2)
    elif how == "no hardware":
        custom.pop("hardwareIds", None)
    elif how == "format":
        custom["targetFormat"] = case.choose("OSTREE", "BINARY", "", "ostree")
    elif how == "no custom":
        target.pop("custom", None)
    elif how == "order":
        custom["hardwareIds"] = custom.get("hardwareIds", [])[::-1]
    elif how == "ecus":
        custom["ecuIdentifiers"] = case.choose({}, {"ecu-0": {"hardwareId": PRIMARY}}, {"x": {"hardwareId": "x"}})
    elif how == "no length":
        del target["length"]
    elif how == "odd length":
        target["length"] = case.choose(-1, 1 << 64, "14", None, True)
    elif how == "odd custom":
        target["custom"] = case.choose(None, "text", [], 1)
    elif how == "odd hardware":
        custom["hardwareIds"] = case.choose(None, PRIMARY, {"a": PRIMARY}, [[]], [None])
    elif how == "odd hash":
        target["hashes"] = case.choose({"sha256": None}, {"sha256": 1}, {"sha256": []}, [], "text", None)
    # One reading of what is signed; and both sides have to mean the same kind of package.
    case.allow(*{"sha512": ["bad-role"], "md5": ["bad-role"], "none": ["bad-role"], "hash": [],
                 "format": ["target-mismatch", "bad-role"],
                 "no custom": ["target-mismatch"], "ecus": ["bad-role", "target-mismatch"],
                 "no length": ["bad-role"]}.get(how, ["bad-role"] if how.startswith("odd") else []))
    case.plan.append(f"{name}: {how}")


@change
def both_sides_of_a_target(case):
    name = case.choose(PUMP, BOOTLOADER)
    how = case.choose("sha512", "both", "empty", "ostree", "for both", "other")
    for targets in entries(case, name):
        target = targets[name]
        custom = target.setdefault("custom", {})
        if how == "sha512":
            target["hashes"] = {"sha512": "ab" * 64}
        elif how == "both":
            target.setdefault("hashes", {})["sha512"] = "ab" * 64
        elif how == "empty":
            target["length"] = 0
        elif how == "ostree":
            target["length"] = 0
            custom["targetFormat"] = "OSTREE"
        elif how == "for both":
            custom["hardwareIds"] = [PRIMARY, SECONDARY]
        elif how == "other":
            custom["hardwareIds"] = [OTHER]
    case.allow(*{"sha512": ["bad-role"], "empty": ["empty-target", "target-mismatch"]}.get(how, []))
    case.plan.append(f"{name}: {how}")


@change
def more_targets(case):
    hardware = case.choose([OTHER], [PRIMARY], [SECONDARY], [OTHER, SECONDARY], [])
    name = case.choose("another-1", "pump-3", "a/b/c-1")
    more = entry(b"another", hardware)
    case.box.lockboxes["pump"][name] = more
    if case.may(0.7):
        case.box.targets[name] = with_name(more, "another", "1")


@change
def fewer_targets(case):
    case.box.lockboxes["pump"].pop(case.choose(PUMP, BOOTLOADER), None)


@change
def no_targets(case):
    case.box.lockboxes["pump"].clear()


@change
def a_lockbox_that_delegates(case):
    roles = case.choose([], [{"name": "x", "keyids": [], "threshold": 1, "paths": [], "terminating": False}])
    case.box.put(BOX, delegations=case.choose({"keys": {}, "roles": roles}, {}, None))
    case.allow("bad-role")


@change
def several_lockboxes(case):
    name = case.choose("a", "z", "pump-2", "pum", "pump.2")
    other = case.choose(case.box.lockboxes["pump"], {BOOTLOADER: entry(b"board firmware", [PRIMARY])}, {})
    case.box.lockboxes[name] = copy.deepcopy(other)
    if case.may(0.4):
        case.box.drop(case.choose(f"director/{name}", BOX))
    if case.may(0.4):
        case.box.expires[f"director/{name}"] = PAST
