# SPDX-License-Identifier: Apache-2.0
"""The image repository: snapshot, targets, delegations, and whether it knows what the lockbox wants."""

import copy

from box import (DELEGATED, IMAGE_SNAPSHOT, NOW, OTHER, PRIMARY, PUMP, SECONDARY, TARGETS, broken, case, entry, noted,
                 picky, sha256, strict, with_name)
from cases_lockbox import listed

LISTED = {"targets.json": TARGETS, "team.json": DELEGATED}

for file, path in LISTED.items():
    broken("wrong-version", path, name=f"image_snapshot_lists_another_version_{file}")(
        listed(lambda item: item.update(version=2), IMAGE_SNAPSHOT, file))
    broken("wrong-hash", path, name=f"image_snapshot_lists_another_hash_{file}")(
        listed(lambda item: item.update(hashes={"sha256": sha256(b"a lie")}), IMAGE_SNAPSHOT, file))
    broken("wrong-hash", path, name=f"image_snapshot_lists_another_sha512_{file}")(
        listed(lambda item: item["hashes"].update(sha512="00" * 64), IMAGE_SNAPSHOT, file))
    strict("wrong-length", path, name=f"image_snapshot_lists_another_length_{file}")(
        listed(lambda item: item.update(length=item["length"] + 1), IMAGE_SNAPSHOT, file))
    case(name=f"good_image_snapshot_without_hash_{file}")(
        listed(lambda item: item.pop("hashes"), IMAGE_SNAPSHOT, file))

    @broken("not-in-snapshot", path, name=f"image_snapshot_does_not_list_{file}")
    def _(box, file=file):
        box.edit(IMAGE_SNAPSHOT, lambda signed: signed["meta"].pop(file))


@noted("root-gap", IMAGE_SNAPSHOT)
def image_snapshot_knows_a_later_root(box):
    box.edit(IMAGE_SNAPSHOT, lambda signed: signed["meta"]["root.json"].update(version=2))


@noted("missing-role", IMAGE_SNAPSHOT)
def image_snapshot_lists_what_is_not_there(box):
    box.edit(IMAGE_SNAPSHOT, lambda signed: signed["meta"].update({"gone.json": {"version": 1}}))


@case(True, "refuse", [f"device-limit {IMAGE_SNAPSHOT}.json"] + [f"missing-role {IMAGE_SNAPSHOT}.json"] * 101)
def image_snapshot_lists_thousands_that_are_not_there(box):
    """A hundred are named, the others counted."""
    gone = {f"gone-{n}.json": {"version": 1} for n in range(20000)}
    box.edit(IMAGE_SNAPSHOT, lambda signed: signed["meta"].update(gone))


@noted("not-in-snapshot", "image-repo/stranger")
def image_file_that_nothing_refers_to(box):
    box.delegate("stranger", [], parents=())
    box.edit(IMAGE_SNAPSHOT, lambda signed: signed["meta"].pop("stranger.json"))


@noted("bad-delegation", "image-repo/orphan")
def image_file_to_which_nobody_delegates(box):
    box.delegate("orphan", [], parents=())


@broken("bad-role", TARGETS)
def targets_without_targets(box):
    box.edit(TARGETS, lambda signed: signed.pop("targets"))


@broken("bad-role", TARGETS)
def one_entry_of_many_is_malformed(box):
    box.targets["other-1"] = entry(b"other", [OTHER], length="1")


# Does it know what the lockbox wants? The first target is in targets.json, the second in a delegation.

ALTERED = {
    "length": lambda t: t.update(length=t["length"] + 1),
    "sha256": lambda t: t.update(hashes={"sha256": sha256(b"other")}),
    "hardware": lambda t: t["custom"].update(hardwareIds=[OTHER]),
    "no_hardware": lambda t: t["custom"].pop("hardwareIds"),
}

for kind, change in ALTERED.items():
    @broken("target-mismatch", TARGETS, name=f"entry_differs_in_{kind}")
    def _(box, change=change):
        change(box.targets["bootloader-1"])

    @broken("target-mismatch", TARGETS, name=f"delegated_entry_differs_in_{kind}")
    def _(box, change=change):
        change(box.delegations["team"].targets["pump-2.4"])

    @strict("target-mismatch", TARGETS, hardware=SECONDARY, name=f"unwanted_entry_differs_in_{kind}")
    def _(box, change=change):
        change(box.targets["bootloader-1"])


@broken("target-mismatch", TARGETS)
def entry_differs_in_sha512(box):
    box.lockboxes["pump"]["bootloader-1"]["hashes"]["sha512"] = "12" * 64
    box.targets["bootloader-1"]["hashes"]["sha512"] = "34" * 64


@broken("target-not-in-image-repo", TARGETS)
def target_unknown(box):
    del box.targets["bootloader-1"]


@strict("target-not-in-image-repo", TARGETS, hardware=SECONDARY)
def unwanted_target_unknown(box):
    del box.targets["bootloader-1"]


@strict("target-mismatch", TARGETS, hardware=PRIMARY)
def hardware_that_the_device_lacks_is_not_covered(box):
    box.lockboxes["pump"]["bootloader-1"]["custom"]["hardwareIds"] = [PRIMARY, OTHER]


@case()
def good_image_repo_names_more_hardware(box):
    box.targets["bootloader-1"]["custom"]["hardwareIds"] = [OTHER, PRIMARY]


# Delegations

@broken("missing-role", DELEGATED)
def delegation_missing(box):
    box.drop(DELEGATED)


@case(False, "install", [f"missing-role {DELEGATED}.json"], hardware=PRIMARY)
def delegation_missing_for_absent_hardware(box):
    box.drop(DELEGATED)


@noted("missing-role", "image-repo/spare")
def delegation_missing_that_nobody_needs(box):
    box.delegate("spare", ["spare-*"])
    box.drop("image-repo/spare")


@case(False, "refuse", [f"target-not-in-image-repo {TARGETS}.json", f"expired-role {DELEGATED}.json"],
      name="delegation_expired")
def _(box):
    box.put(DELEGATED, expires="2026-11-22T00:00:00Z")


@strict("expired-role", DELEGATED)
def delegation_expires_this_second(box):
    """The standard wants now < expires; the device still takes it."""
    box.put(DELEGATED, expires=NOW)


@noted("expired-role", "image-repo/spare")
def delegation_expired_that_nobody_needs(box):
    box.delegate("spare", ["spare-*"])
    box.put("image-repo/spare", expires="2026-11-22T00:00:00Z")


@strict("bad-signature", "image-repo/spare")
def delegation_forged_that_nobody_needs(box):
    box.delegate("spare", ["spare-*"])
    box.edit_document("image-repo/spare", lambda document: document["signatures"][0].update(sig="AAAA"))


@case(False, "install", ["expired-role image-repo/old.json"])
def expired_delegation_before_the_right_one(box):
    """The device skips it and goes on; for the standard the search ends."""
    team = box.delegations.pop("team")
    box.delegate("old", ["pump-*"])
    box.delegations["team"] = team
    box.put("image-repo/old", expires="2026-11-22T00:00:00Z")


@broken("target-not-in-image-repo", TARGETS)
def delegation_for_other_paths(box):
    box.delegations["team"].paths = ["press-*", "pump-?", "pump"]


for kind, pattern in {"exact": "pump-2.4", "question_marks": "pump-?.?", "set": "pump-[0-9].[!a-z]",
                      "star_in_the_middle": "p*4", "second_of_two": None}.items():
    @case(name=f"good_path_{kind}")
    def _(box, pattern=pattern):
        box.delegations["team"].paths = [pattern] if pattern else ["press-*", "pump-*"]


@case()
def good_star_matches_slash(box):
    for targets in (box.lockboxes["pump"], box.delegations["team"].targets):
        targets["pump/mcu/2.4"] = targets.pop("pump-2.4")
    box.delegations["team"].paths = ["pump/*"]


@broken("target-not-in-image-repo", TARGETS)
def path_hash_prefixes(box):
    def replace(signed):
        signed["delegations"]["roles"][0].pop("paths")
        signed["delegations"]["roles"][0]["path_hash_prefixes"] = [""]
    box.edit(TARGETS, replace)


SPOILED = {
    "threshold_0": ("bad-threshold", lambda role: role.update(threshold=0)),
    "threshold_beyond_keys": ("bad-threshold", lambda role: role.update(threshold=2)),
    "no_keyids": ("bad-role", lambda role: role.pop("keyids")),
    "no_name": ("bad-delegation", lambda role: role.pop("name")),
    "no_paths": ("bad-delegation", lambda role: role.pop("paths")),
    "paths_as_text": ("bad-delegation", lambda role: role.update(paths="*")),
    "path_as_number": ("bad-delegation", lambda role: role.update(paths=[1])),
    "terminating_as_text": ("bad-delegation", lambda role: role.update(terminating="no")),
    "name_of_a_role": ("bad-delegation", lambda role: role.update(name="Snapshot")),
    "name_that_climbs": ("unsafe-name", lambda role: role.update(name="..")),
    "name_with_slash": ("unsafe-name", lambda role: role.update(name="a/b")),
}

for kind, (problem, change) in SPOILED.items():
    @broken(problem, TARGETS, name=f"delegation_{kind}")
    def _(box, change=change):
        box.edit(TARGETS, lambda signed: change(signed["delegations"]["roles"][0]))


@broken("bad-delegation", TARGETS)
def two_delegations_of_one_name(box):
    box.edit(TARGETS, lambda signed: signed["delegations"].update(roles=signed["delegations"]["roles"] * 2))


@broken("bad-delegation", TARGETS)
def delegations_without_keys(box):
    box.edit(TARGETS, lambda signed: signed["delegations"].pop("keys"))


@broken("threshold-not-met", DELEGATED)
def delegation_signed_by_the_parents_key(box):
    box.signers[DELEGATED] = box.keys["image-repo/targets"]


@case()
def good_two_delegations(box):
    box.delegate("spare", ["spare-*"], {"spare-1": with_name(PUMP, "spare", "1")})


@broken("threshold-not-met", DELEGATED)
def delegation_signed_by_the_key_of_its_sibling(box):
    box.delegate("spare", ["spare-*"])
    box.signers[DELEGATED] = box.keys["spare"]


# Depth, cycles, terminating: where standard and device go different ways

def chain(box, length):
    """The second target at the end of `length` delegations below each other."""
    targets = box.delegations.pop("team").targets
    parent = "targets"
    for n in range(1, length + 1):
        box.delegate(f"d{n}", ["pump-*"], targets if n == length else {}, parents=(parent,))
        parent = f"d{n}"


@case()
def good_two_below_each_other(box):
    chain(box, 2)


@case()
def good_as_deep_as_the_device_goes(box):
    chain(box, 5)


@picky("target-not-in-image-repo", TARGETS)
def deeper_than_the_device_goes(box):
    chain(box, 6)


@broken("target-not-in-image-repo", TARGETS)
def cycle_without_the_target(box):
    box.delegations["team"].targets.clear()
    box.delegations["team"].parents = ("targets", "other")
    box.delegate("other", ["*"], parents=("team",))


@case()
def good_cycle_with_the_target_behind(box):
    box.delegate("a", ["pump-*"], parents=("targets", "b"))
    box.delegate("b", ["pump-*"], parents=("a",))
    box.delegations["team"].parents = ("b",)


@case()
def good_terminating(box):
    box.delegations["team"].terminating = True


@strict("target-not-in-image-repo", TARGETS)
def terminating_before_the_right_one(box):
    """For the standard the search ends there, for the device the siblings follow."""
    team = box.delegations.pop("team")
    box.delegate("first", ["pump-*"], terminating=True)
    box.delegations["team"] = team


@picky("target-not-in-image-repo", TARGETS)
def below_a_terminating_one(box):
    """The standard goes down, the device does not."""
    box.delegate("first", ["pump-*"], terminating=True)
    box.delegations["team"].parents = ("first",)


@strict("target-mismatch", TARGETS)
def wrong_entry_before_the_right_one(box):
    """The standard takes the first entry of the name, the device the first that fits."""
    box.targets["pump-2.4"] = with_name(entry(b"something else", [SECONDARY]), "pump", "2.4")


@broken("missing-role", "image-repo/gone")
def missing_delegation_before_the_right_one(box):
    team = box.delegations.pop("team")
    box.delegate("gone", ["pump-*"])
    box.delegations["team"] = team
    box.drop("image-repo/gone")


@noted("missing-role", "image-repo/gone")
def missing_delegation_behind_the_right_one(box):
    box.delegate("gone", ["pump-*"])
    box.drop("image-repo/gone")


@broken("bad-delegation", TARGETS)
def too_many_delegations_to_follow(box):
    """Ten roles that all delegate to each other: 10^5 ways down."""
    names = [f"r{n}" for n in range(10)]
    box.delegations.clear()
    for name in names:
        box.delegate(name, ["pump-*"], parents=("targets", *(other for other in names if other != name)))



# Hostile graphs: bounds of time and memory.

@broken("bad-delegation", TARGETS)
def more_delegations_in_a_role_than_are_read(box):
    def add(signed):
        keyids = signed["delegations"]["roles"][0]["keyids"]
        signed["delegations"]["roles"] += [{"name": f"d{n}", "keyids": keyids, "threshold": 1, "paths": []}
                                           for n in range(1000)]
    box.edit(TARGETS, add)


@case(False, "refuse", ["unsafe-name director/pump.json"] + [f"bad-delegation {TARGETS}.json"])
def paths_that_take_too_long_to_hold_against_a_name(box):
    box.delegations["team"].paths = [f"*{n:04d}{'a' * 1000}" for n in range(1000)]
    box.lockboxes["pump"] = {"b" * 5000: copy.deepcopy(PUMP)}


@case(False, "install", ["bad-delegation image-repo/shared.json"] * 4)
def file_with_many_signatures_below_many_delegations(box):
    """The bytes that are verified are bounded, however many delegations lead to them."""
    parents = [f"p{n}" for n in range(20)]
    for name in parents:
        box.delegate(name, ["other-*"])
    box.delegate("shared", ["other-*"], parents=parents)
    box.edit_document("image-repo/shared", lambda document: document["signatures"].extend(
        {"keyid": f"{n:x}", "method": "ed25519", "sig": ""} for n in range(999)))
