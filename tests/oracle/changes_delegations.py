# SPDX-License-Identifier: Apache-2.0
"""Delegations: trees of them, their patterns, and what stands in them."""

import copy

from box import IMAGE_SNAPSHOT, PAST, TARGETS, EcdsaKey, nth_key
from changes_targets import entries
from random_case import PUMP, change
from signer import Ed25519Key

PATTERNS = ("pump-*", "*", "pump-?.?", "pump-[0-9]*", "p*4", "pump-2.4", "press-*", "*/*", "[!p]*",
            "pump-[!2]*", "pump-2\\.4", "*2.4*", "", "PUMP-*", "pump-[1-3].[4]")


@change
def patterns(case):
    for delegation in case.box.delegations.values():
        delegation.paths = [case.choose(*PATTERNS) for _ in range(case.choose(0, 1, 1, 2, 3))]
        case.plan.append(str(delegation.paths))
    case.allow("bad-delegation")


@change
def a_name_with_folders(case):
    name = "pumps/big/pump-2.4"
    for targets in entries(case, PUMP):
        targets[name] = targets.pop(PUMP)
    for delegation in case.box.delegations.values():
        delegation.paths = [case.choose("pumps/*", "pumps*4", "*/pump-*", "*", "pumps/?ig/*", "pumps/*/*",
                                        "pumps/big")]


@change
def tree(case):
    """Up to eight delegations below each other and beside each other, the target somewhere among them."""
    box, rng = case.box, case.rng
    team = box.delegations.pop("team")
    names = [f"{rng.choice('abcxyz')}{i}" for i in range(rng.randint(1, 8))]
    deep = case.may(0.4)
    for i, name in enumerate(names):
        parents = ["targets"] if not i else [names[i - 1] if deep else rng.choice(["targets", *names[:i]])]
        box.delegate(name, [case.choose("*", "pump-*", "*", "pump-*", "press-*")], parents=parents,
                     terminating=case.may(0.2))
    if case.may(0.2):
        box.delegations[names[0]].parents = ("targets", names[-1])
    for name in rng.sample(names, min(len(names), case.choose(1, 1, 2))):
        box.delegations[name].targets = copy.deepcopy(team.targets)
    if case.may(0.3):
        decoy = copy.deepcopy(team.targets)
        for target in decoy.values():
            target["length"] += 1
        box.delegations[rng.choice(names)].targets = decoy
    for _ in range(case.choose(0, 0, 1, 2)):
        path = f"image-repo/{rng.choice(names)}"
        harm = case.choose("expired", "dropped", "forged", "older", "unlisted")
        if harm == "expired":
            box.expires[path] = PAST
        elif harm == "dropped":
            box.drop(path)
        elif harm == "forged":
            box.signers[path] = [nth_key(Ed25519Key, 1000)]
        else:
            file = path.removeprefix("image-repo/") + ".json"
            box.edit(IMAGE_SNAPSHOT, lambda signed: signed["meta"].pop(file, None) if harm == "unlisted" else
                     signed["meta"].get(file, {}).update(version=2))
        case.plan.append(f"{path}: {harm}")


@change
def beside_the_team(case):
    """A delegation before or behind the right one."""
    name = case.choose("aside", "zone")
    more = case.box.delegate(name, [case.choose(*PATTERNS[:6])], terminating=case.may(0.5))
    if case.may(0.5):
        more.targets = copy.deepcopy(case.box.delegations.get("team", more).targets)
    if case.may(0.5):
        case.box.delegations = dict(reversed(case.box.delegations.items()))
    harm = case.choose("expired", "dropped", "none", "none")
    if harm == "expired":
        case.box.expires[f"image-repo/{name}"] = PAST
    elif harm == "dropped":
        case.box.drop(f"image-repo/{name}")


@change
def two_ways(case):
    """A delegation below two others, which may name other keys for it."""
    box = case.box
    box.delegate("left", [case.choose("*", "pump-*", "press-*")])
    box.delegate("right", [case.choose("*", "pump-*")])
    team = box.delegations.pop("team", None)
    if not team:
        return
    box.delegations["team"] = team
    team.parents = case.choose(("left", "right"), ("right", "left", "targets"), ("left",))
    if case.may(0.5):
        team.targets = {}
    if case.may(0.5):
        path = f"image-repo/{case.choose('left', 'right')}"
        stranger = nth_key(Ed25519Key, 1000)

        def edit(signed):
            if "delegations" in signed:
                signed["delegations"]["keys"] = {stranger.keyid: stranger.entry}
                for role in signed["delegations"]["roles"]:
                    role["keyids"] = [stranger.keyid]
        box.edit(path, edit)
        case.plan.append(f"{path}: other keys")


@change
def delegating(case):
    """What stands in "delegations" of the targets."""
    how = case.choose("ecdsa", "threshold", "no keys", "no roles", "name", "paths", "nothing", "twice", "prefixes")
    value = case.choose(0, 2, 1001, None, "1")
    name = case.choose("snapshot", "Targets", "team", "")

    def edit(signed):
        delegations = signed.get("delegations")
        if not delegations:
            return
        role = delegations["roles"][0]
        if how == "ecdsa":
            key = nth_key(EcdsaKey, 0)
            delegations["keys"][key.keyid] = key.entry
        elif how == "threshold":
            role["threshold"] = value
        elif how == "no keys":
            delegations["keys"] = {}
        elif how == "no roles":
            del delegations["roles"]
        elif how == "name":
            role["name"] = name
        elif how == "paths":
            del role["paths"]
        elif how == "nothing":
            signed["delegations"] = None
        elif how == "twice":
            delegations["roles"].append({**role, "paths": ["*"], "terminating": True})
        elif how == "prefixes":
            role["path_hash_prefixes"] = ["00"]
    case.box.edit(TARGETS, edit)
    case.allow("bad-delegation", "bad-role", "bad-threshold", "unsafe-name")
    case.plan.append(f"delegations: {how} {value} {name}")


@change
def terminating(case):
    for delegation in case.box.delegations.values():
        delegation.terminating = True
