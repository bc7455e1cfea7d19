# SPDX-License-Identifier: Apache-2.0
"""The offline snapshot, which lockbox the device takes, and what is in it."""

import hashlib

from box import (BOARD, BOX, IMAGE_SNAPSHOT, OTHER, PRIMARY, SECONDARY, SNAPSHOT, TARGETS, broken, canonical, case,
                 entry, noted, picky, sha256, strict, with_name)


def listed(change, path=SNAPSHOT, file="pump.json"):
    """A case's change to one entry of a snapshot."""
    return lambda box: box.edit(path, lambda signed: change(signed["meta"][file]))


# The offline snapshot

broken("wrong-version", BOX, name="snapshot_lists_another_version")(
    listed(lambda item: item.update(version=2)))
strict("wrong-hash", BOX, name="snapshot_lists_another_hash")(
    listed(lambda item: item.update(hashes={"sha256": sha256(b"a lie")})))
strict("wrong-hash", BOX, name="snapshot_lists_another_sha512")(
    listed(lambda item: item["hashes"].update(sha512="00" * 64)))
strict("wrong-length", BOX, name="snapshot_lists_another_length")(
    listed(lambda item: item.update(length=item["length"] + 1)))
case(name="good_snapshot_without_hash_and_length")(
    listed(lambda item: (item.pop("hashes"), item.pop("length"))))
broken("bad-role", SNAPSHOT, name="snapshot_entry_without_version")(
    listed(lambda item: item.pop("version")))
broken("bad-role", SNAPSHOT, name="snapshot_entry_with_version_0")(
    listed(lambda item: item.update(version=0)))
broken("bad-role", SNAPSHOT, name="snapshot_entry_with_a_short_hash")(
    listed(lambda item: item["hashes"].update(sha256="00" * 31)))
broken("bad-role", SNAPSHOT, name="snapshot_entry_with_a_negative_length")(
    listed(lambda item: item.update(length=-1)))


@broken("bad-role", SNAPSHOT)
def snapshot_without_meta(box):
    box.edit(SNAPSHOT, lambda signed: signed.pop("meta"))


@broken("bad-role", SNAPSHOT)
def snapshot_entry_in_other_letter_case(box):
    box.edit(SNAPSHOT, lambda signed: signed["meta"].update({"Root.json": {"version": 1}}))


@broken("bad-role", SNAPSHOT)
def snapshot_entry_of_another_suffix(box):
    box.edit(SNAPSHOT, lambda signed: signed["meta"].update({"pump.txt": {"version": 1}}))


@broken("bad-role", SNAPSHOT)
def bad_entry_of_another_lockbox(box):
    box.edit(SNAPSHOT, lambda signed: signed["meta"].update({"zebra.json": {}}))


# Which lockbox

@case(True, "nothing", [f"no-lockbox {SNAPSHOT}.json"])
def no_lockbox(box):
    box.drop(BOX)


@case()
def good_beside_lockboxes_that_are_elsewhere(box):
    box.lockboxes["alpha"] = {}
    box.lockboxes["zebra"] = {}
    box.drop("director/alpha", "director/zebra")


@noted("several-lockboxes", SNAPSHOT)
def several_lockboxes(box):
    box.lockboxes["zebra"] = {}


@case(True, "nothing", [f"several-lockboxes {SNAPSHOT}.json", "nothing-to-install director"])
def several_lockboxes_and_an_empty_one_first(box):
    box.lockboxes["alpha"] = {}


@noted("not-in-snapshot", "director/stranger")
def file_that_nothing_refers_to(box):
    box.edit(SNAPSHOT, lambda signed: signed["meta"].pop("stranger.json"))
    box.lockboxes["stranger"] = {}


@case(lockbox="pump")
def good_named_among_several(box):
    box.lockboxes["alpha"] = {}


@broken("not-in-snapshot", SNAPSHOT, lockbox="pump")
def named_and_not_listed(box):
    box.edit(SNAPSHOT, lambda signed: signed["meta"].pop("pump.json"))


@broken("missing-role", BOX, lockbox="pump")
def named_and_missing(box):
    box.drop(BOX)


@broken("unsafe-name", "director/targets")
def lockbox_with_the_name_of_a_role(box):
    box.lockboxes = {"targets": box.lockboxes["pump"]}


@broken("unsafe-name", "director/pump ")
def lockbox_with_an_unsafe_name(box):
    box.lockboxes = {"pump ": box.lockboxes["pump"]}


# What is in it

@broken("director-delegates", BOX)
def director_delegates(box):
    box.put(BOX, delegations={"keys": {}, "roles": [{"name": "x", "keyids": [], "threshold": 1, "paths": ["*"]}]})


@case()
def good_empty_delegations(box):
    box.put(BOX, delegations={"keys": {}, "roles": []})


@broken("bad-role", BOX)
def lockbox_without_targets(box):
    box.edit(BOX, lambda signed: signed.pop("targets"))


@case(True, "nothing", ["nothing-to-install director"], hardware=OTHER)
def nothing_for_this_hardware(box):
    pass


@case(True, "nothing", ["nothing-to-install director"])
def empty_lockbox(box):
    box.lockboxes["pump"] = {}


@case(True, "nothing", ["nothing-to-install director"])
def target_without_hardware_ids(box):
    box.lockboxes["pump"] = {"bootloader-1": {k: v for k, v in BOARD.items() if k != "custom"}}


@case(hardware=PRIMARY)
def good_for_a_part_of_the_hardware(box):
    pass


def add(name, target, image=True):
    """One more target, in the lockbox and (unless told otherwise) in the image repository."""
    def change(box):
        box.lockboxes["pump"][name] = target
        if image:
            box.targets[name] = target
    return change


broken("target-conflict", BOX, name="two_targets_for_one_hardware")(
    add("bootloader-2", entry(b"newer", [PRIMARY])))
strict("target-conflict", BOX, hardware=PRIMARY, name="two_targets_for_absent_hardware")(
    lambda box: (add("press-1", entry(b"1", [OTHER]))(box), add("press-2", entry(b"2", [OTHER]))(box)))
case(name="good_hardware_named_twice_by_one_target")(
    add("press-1", entry(b"1", [OTHER, OTHER])))
picky("bad-role", BOX, name="target_names_ecus")(
    add("press-1", entry(b"1", [OTHER], {"ecuIdentifiers": {"serial": {"hardwareId": OTHER}}})))

for kind, name in {"climbing": "../../etc/passwd", "absolute": "/etc/passwd", "backslash": "a\\b", "control": "a\x1bb",
                   "reserved": "CON", "colon": "c:x", "trailing_dot": "x.", "empty": "", "empty_part": "a//b",
                   "over_long": "x" * 300, "too_long_beneath_images": "/".join(["x" * 200] * 5) + "/" + "y" * 15,
                   "option": "-rf", "home": "~root/x", "shell": "a$(b)", "fat_alias": "FIRMWA~1.BIN",
                   "ostree_repository": "OSTree/config", "containers": "0a" * 32 + ".images/x.tar"}.items():
    broken("unsafe-name", BOX, name=f"target_name_{kind}")(add(name, entry(b"x", [OTHER])))

broken("unsafe-name", BOX, name="target_names_that_differ_in_case_only")(
    add("BOOTLOADER-1", entry(b"x", [OTHER])))
broken("unsafe-name", BOX, name="target_name_that_is_the_folder_of_another")(
    add("pump-2.4/part", entry(b"x", [OTHER])))


def spoil(change):
    return lambda box: change(box.lockboxes["pump"]["bootloader-1"])


MALFORMED = {
    "no_length": lambda t: t.pop("length"),
    "negative_length": lambda t: t.update(length=-1),
    "length_with_a_point": lambda t: t.update(length=14.0),
    "length_as_text": lambda t: t.update(length="14"),
    "no_hashes": lambda t: t.pop("hashes"),
    "short_sha256": lambda t: t.update(hashes={"sha256": "00"}),
    "sha256_that_is_no_hex": lambda t: t.update(hashes={"sha256": "zz" * 32}),
    "custom_as_text": lambda t: t.update(custom="x"),
    "hardware_ids_as_text": lambda t: t["custom"].update(hardwareIds=PRIMARY),
    "hardware_id_as_number": lambda t: t["custom"].update(hardwareIds=[1]),
    "format_as_number": lambda t: t["custom"].update(targetFormat=1),
}

for kind, change in MALFORMED.items():
    broken("bad-role", BOX, name=f"target_with_{kind}")(spoil(change))

case(False, "refuse", [f"bad-role {BOX}.json", f"target-mismatch {TARGETS}.json"], name="target_without_sha256")(
    spoil(lambda t: t.update(hashes={"sha512": "00" * 64})))


# ECUs behind the primary: a fresh one takes its first root only from a chain of two or more.

BOTH = f"{PRIMARY},{SECONDARY}"


@case(True, "refuse", ["secondary-root director/1.root.json", "secondary-root image-repo/1.root.json"],
      hardware=BOTH)
def first_root_is_the_last_and_two_ecus_are_updated(box):
    pass


@picky("secondary-root", "image-repo/1.root", hardware=BOTH)
def first_root_is_the_last_of_the_image_repo(box):
    box.rotate("director")


@case(True, "refuse", ["secondary-root director/1.root.json", "secondary-root image-repo/1.root.json"],
      hardware="docker-compose")
def first_root_is_the_last_and_compose_is_updated(box):
    add("compose-1", entry(b"services:", ["docker-compose"]))(box)


@case(hardware=BOTH)
def good_two_ecus_and_two_roots(box):
    box.rotate("director")
    box.rotate("image-repo")


@case(hardware=f"{PRIMARY},docker-compose")
def good_one_root_and_only_the_primary_updated(box):
    pass


# Kinds of packages: the device goes by the lockbox's own targetFormat, else by the length.

def ostree(custom, image_format="OSTREE", length=0):
    target = entry(b"", [OTHER], custom)
    target.update(hashes={"sha256": sha256(b"commit")}, length=length)

    def change(box):
        box.lockboxes["pump"]["os-1"] = target
        box.targets["os-1"] = with_name(target, "os", "1", image_format)
    return change


case(name="good_ostree")(ostree({}))
case(name="good_ostree_with_null_for_unsaid")(ostree({"targetFormat": None, "uri": None}))
case(name="good_ostree_said_twice")(ostree({"targetFormat": "OSTREE"}))
picky("empty-target", BOX, name="empty_file")(ostree({"targetFormat": "BINARY"}, "BINARY"))
noted("empty-target", BOX, hardware=PRIMARY, name="empty_file_for_absent_hardware")(ostree({"targetFormat": "BINARY"}, "BINARY"))
picky("empty-target", TARGETS, name="empty_file_that_the_device_takes_for_ostree")(
    ostree({}, "BINARY"))
picky("target-mismatch", TARGETS, name="ostree_that_the_device_takes_for_a_file")(
    ostree({}, "OSTREE", 5))


@case()
def good_sha512_beside(box):
    for targets in (box.lockboxes["pump"], box.targets):
        targets["bootloader-1"]["hashes"]["sha512"] = "12" * 64


@case()
def good_listed_with_sha512(box):
    """The image repository may give SHA-512 as well, over the same canonical form."""
    box.edit(IMAGE_SNAPSHOT, lambda signed: signed["meta"]["targets.json"]["hashes"].update(
        sha512=hashlib.sha512(canonical(box.documents[TARGETS])).hexdigest()))



@case(False, "refuse", [f"device-limit {BOX}.json", f"bad-role {BOX}.json"])
def more_targets_than_are_read(box):
    box.lockboxes["pump"].update({f"t{n}": {"length": 1, "hashes": {}} for n in range(4000)})
