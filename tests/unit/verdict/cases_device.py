# SPDX-License-Identifier: Apache-2.0
"""What is known of the device: what its client has stored and installed, its ECUs, its clock, its space."""

from box import (BOARD, BOX, DELEGATED, IMAGE_SNAPSHOT, LATER, OTHER, PAST, PRIMARY, PUMP,
                 SECONDARY, SNAPSHOT, TARGETS, case, canonical, entry, sha256, with_name)

COMPOSE = "docker-compose"


def known(change, **how):
    """A case whose lockbox is the good one: `change` makes the device's state out of the signed Box."""
    return case(name=how.pop("name"), **how)(lambda box: change)


def installs(name, state):
    known(lambda box: state(box) if callable(state) else state, name=f"device_{name}")


def refuses(name, problem, path, state, *more):
    known(lambda box: state(box) if callable(state) else state, name=f"device_{name}", outcome="refuse",
          problems=[f"{problem} {path}", *more])


def ecus(*secondaries, primary=PRIMARY, **more):
    return {"ecus": [{"hardware_id": primary, "primary": True, **more}, *secondaries]}


def ecu(hardware_id=SECONDARY, director=2, image_repo=2, **more):
    return {"hardware_id": hardware_id, "roots": {"director": director, "image_repo": image_repo}, **more}


def stored(**roles):
    return lambda box: {"stored": {name: make(box) for name, make in roles.items()}, **chains(box)}


def chains(box, director=1, image_repo=1):
    """The roots that the device has: from version 1 on."""
    return {"roots": {"director": [box.documents[f"director/{n}.root"] for n in range(1, director + 1)],
                      "image_repo": [box.documents[f"image-repo/{n}.root"] for n in range(1, image_repo + 1)]}}


def role(path, version=None, **fields):
    """A role of the Box, perhaps of another version and with other content."""
    def make(box):
        if version is None and not fields:
            return box.documents[path]
        return box.resign(path, lambda signed: signed.update({"version": version or signed["version"], **fields}))
    return make


def listing(path, file, **changes):
    """A snapshot of version 2 whose entry of one file differs."""
    def make(box):
        def change(signed):
            signed["version"] = 2
            signed["meta"][file].update(changes)
        return box.resign(path, change)
    return make


# Nothing of it matters

installs("of_which_only_the_schema_is_known", {})
installs("with_all_its_ecus", ecus(ecu()))
installs("with_a_name_and_a_version", {"name": "press 7", "os_version": "7.2.0+build.3"})
installs("that_has_the_same_roles_stored", stored(offline_snapshot=role(SNAPSHOT), image_snapshot=role(IMAGE_SNAPSHOT),
                                                  image_targets=role(TARGETS)))
installs("that_has_the_delegation_stored", stored(delegations=lambda box: {"team": box.documents[DELEGATED]}))


# Stored roles: an older stick

OLDER = [f"stored-newer {SNAPSHOT}.json"]

known(stored(offline_snapshot=role(SNAPSHOT, 2)), name="device_with_a_newer_snapshot_of_the_same_lockbox",
      problems=OLDER)
known(stored(offline_snapshot=listing(SNAPSHOT, "pump.json", version=2)), name="device_that_used_a_newer_lockbox",
      outcome="refuse", problems=[*OLDER, f"rollback {BOX}.json"])
known(stored(offline_snapshot=role(SNAPSHOT, 2, meta={})), name="device_that_knows_a_newer_snapshot_without_lockbox",
      outcome="nothing", problems=[*OLDER, f"no-lockbox {SNAPSHOT}.json"])
known(stored(offline_snapshot=role(SNAPSHOT, 2, expires="2026-11-22T00:00:00Z")),
      name="device_with_a_newer_snapshot_that_has_expired", outcome="refuse",
      problems=[*OLDER, f"expired-role {SNAPSHOT}.json"])
known(stored(offline_snapshot=lambda box: {"version": 2}), name="device_of_which_only_a_newer_version_is_known",
      outcome="refuse", problems=OLDER)
known(stored(offline_snapshot=lambda box: {"version": 1}), name="device_of_which_the_same_version_is_known")
known(stored(offline_snapshot=lambda box: {"version": 1, "sha256": sha256(canonical(box.documents[SNAPSHOT]))}),
      name="device_of_which_the_same_hash_is_known")
known(stored(offline_snapshot=lambda box: {"version": 1, "sha256": "00" * 32}),
      name="device_of_which_another_hash_is_known", outcome="refuse", problems=OLDER)
known(stored(offline_snapshot=role(SNAPSHOT, 1, meta={"pump.json": {"version": 2}})),
      name="device_with_an_equal_version_of_other_content", outcome="refuse", problems=[*OLDER, f"rollback {BOX}.json"])


@case(problems=OLDER, name="device_whose_snapshot_leads_to_another_lockbox")
def _(box):
    """Both answers are about the one that the device takes."""
    box.lockboxes["aaa"] = {}
    return stored(offline_snapshot=lambda box: box.resign(SNAPSHOT, lambda signed: (
        signed.update(version=2), signed["meta"].pop("aaa.json"))))


def newer_stick(box):
    box.put(SNAPSHOT, version=3)


@case(name="device_with_an_older_snapshot")
def _(box):
    newer_stick(box)
    return stored(offline_snapshot=role(SNAPSHOT, 2))


@case(outcome="refuse", problems=[f"rollback {SNAPSHOT}.json"], name="device_that_saw_a_newer_version_listed")
def _(box):
    newer_stick(box)
    return stored(offline_snapshot=listing(SNAPSHOT, "pump.json", version=2))


@case(outcome="refuse", problems=[f"rollback {SNAPSHOT}.json"], name="device_that_saw_another_lockbox_newer")
def _(box):
    newer_stick(box)
    box.edit(SNAPSHOT, lambda signed: signed["meta"].update({"press.json": {"version": 1}}))
    return stored(offline_snapshot=role(SNAPSHOT, 2, meta={"press.json": {"version": 2}, "pump.json": {"version": 1}}))


@case(name="device_that_saw_a_lockbox_which_is_gone")
def _(box):
    newer_stick(box)
    return stored(offline_snapshot=role(SNAPSHOT, 2, meta={"press.json": {"version": 9}}))


@case(name="device_forgets_with_a_new_director_root")
def _(box):
    box.rotate("director")
    return stored(offline_snapshot=listing(SNAPSHOT, "pump.json", version=2))


@case(outcome="refuse", problems=[*OLDER, f"rollback {BOX}.json"], name="device_keeps_with_a_root_that_it_has")
def _(box):
    box.rotate("director")
    return lambda box: {**stored(offline_snapshot=listing(SNAPSHOT, "pump.json", version=2))(box),
                        **chains(box, director=2)}


@case(outcome="refuse", problems=[*OLDER, f"rollback {BOX}.json"], name="device_of_unknown_roots_keeps")
def _(box):
    box.rotate("director")
    return lambda box: {"stored": {"offline_snapshot": listing(SNAPSHOT, "pump.json", version=2)(box)}}


@case(name="device_forgets_what_is_only_known_by_version")
def _(box):
    box.rotate("director")
    return stored(offline_snapshot=lambda box: {"version": 9})


# An ECU behind the primary has none of these, and reads the stick's

def behind(**roles):
    """The primary has these roles stored, and both ECUs are up to date with the roots."""
    return lambda box: {**stored(**roles)(box), **ecus(ecu(director=1, image_repo=1))}


known(behind(offline_snapshot=role(SNAPSHOT, 2)), name="device_whose_secondary_reads_a_good_snapshot", problems=OLDER)


@case(False, "refuse", [f"expired-role {SNAPSHOT}.json", *OLDER, f"secondary-role {SNAPSHOT}.json"],
      name="device_whose_secondary_reads_an_expired_snapshot")
def _(box):
    box.put(SNAPSHOT, expires=PAST)
    return behind(offline_snapshot=role(SNAPSHOT, 2, expires=LATER))


@case(False, "install", [f"expired-role {IMAGE_SNAPSHOT}.json", f"stored-newer {IMAGE_SNAPSHOT}.json"],
      name="device_whose_secondary_does_not_look_at_the_date")
def _(box):
    box.put(IMAGE_SNAPSHOT, expires=PAST)
    return behind(image_snapshot=role(IMAGE_SNAPSHOT, 2, expires=LATER))


# Stored roles of the image repository

NEWER_IMAGES = [f"stored-newer {IMAGE_SNAPSHOT}.json"]
NEWER_TARGETS = [f"stored-newer {TARGETS}.json"]


def newer_image_snapshot(box):
    return box.resign(IMAGE_SNAPSHOT, lambda signed: signed.update(version=2))


known(stored(image_snapshot=newer_image_snapshot), name="device_with_a_newer_image_snapshot_of_the_same_targets",
      problems=NEWER_IMAGES)
known(stored(image_snapshot=listing(IMAGE_SNAPSHOT, "targets.json", version=2)),
      name="device_with_a_newer_image_snapshot", outcome="refuse",
      problems=[*NEWER_IMAGES, f"wrong-version {TARGETS}.json"])
known(stored(image_targets=role(TARGETS, 2)), name="device_with_newer_targets_than_the_stick_lists",
      outcome="refuse", problems=[*NEWER_TARGETS, f"wrong-version {TARGETS}.json", f"wrong-hash {TARGETS}.json"])
known(stored(image_targets=lambda box: {"version": 2}), name="device_with_unknown_newer_targets", outcome="refuse",
      problems=NEWER_TARGETS)
known(stored(image_targets=role(TARGETS, 1, targets={})), name="device_with_other_targets_of_the_same_version",
      outcome="refuse",
      problems=[*NEWER_TARGETS, f"wrong-hash {TARGETS}.json", f"target-not-in-image-repo {TARGETS}.json"])


def newer_images(box):
    """A snapshot and the targets that it lists, both of version 2."""
    targets = role(TARGETS, 2)(box)
    listed = {"version": 2, "hashes": {"sha256": sha256(canonical(targets))}}
    return {"image_targets": targets, "image_snapshot": listing(IMAGE_SNAPSHOT, "targets.json", **listed)(box)}


known(lambda box: {"stored": newer_images(box), **chains(box)}, name="device_with_a_newer_image_repository",
      problems=[*NEWER_IMAGES, *NEWER_TARGETS])


@case(name="device_forgets_with_a_new_image_root")
def _(box):
    box.rotate("image-repo")
    return stored(image_snapshot=listing(IMAGE_SNAPSHOT, "targets.json", version=2))


known(stored(delegations=lambda box: {"team": role(DELEGATED, 2)(box)}), name="device_with_a_newer_delegation",
      outcome="refuse", problems=[f"{problem} {DELEGATED}.json" for problem in ("wrong-version", "wrong-hash", "rollback")])
known(stored(delegations=lambda box: {"team": {"version": 2}}), name="device_with_an_unknown_newer_delegation",
      outcome="refuse", problems=[f"rollback {DELEGATED}.json"])
known(stored(delegations=lambda box: {"other": {"version": 2}}), name="device_with_a_newer_delegation_of_no_matter")
known(stored(delegations=lambda box: {"team": {"version": 1, "sha256": "00" * 32}}),
      name="device_with_another_delegation_of_the_same_version", outcome="refuse",
      problems=[f"stored-newer {DELEGATED}.json"])


@case(name="device_with_an_older_delegation")
def _(box):
    box.put(DELEGATED, version=2)
    return stored(delegations=lambda box: {"team": role(DELEGATED, 1)(box)})


# Installed packages

def has(name, target, **more):
    return {"installed": {"name": name, "length": target["length"], "sha256": target["hashes"]["sha256"], **more}}


ALL = ecus(ecu(**has("pump-2.4", PUMP)), **has("bootloader-1", BOARD))
DONE = ["already-installed "]

installs("with_another_package_installed", ecus(ecu(**has("pump-2.3", BOARD)), **has("bootloader-0", PUMP)))
installs("with_one_of_two_installed", ecus(ecu(), **has("bootloader-1", BOARD)))
installs("with_nothing_installed", ecus(ecu(installed=None), installed=None))
known(lambda box: ALL, name="device_with_all_installed", outcome="nothing", problems=DONE)
known(lambda box: ecus(ecu(**has("pump-2.4", PUMP, hardware_ids=[SECONDARY])),
                       **has("bootloader-1", BOARD, hardware_ids=[PRIMARY])),
      name="device_with_all_installed_for_the_same_hardware", outcome="nothing", problems=DONE)
refuses("with_other_content_under_the_name", "installed-differs", f"{BOX}.json",
        ecus(ecu(**has("pump-2.4", BOARD))))
refuses("with_another_length_under_the_name", "installed-differs", f"{BOX}.json",
        ecus(ecu(**has("pump-2.4", {**PUMP, "length": 14}))))
refuses("with_the_package_installed_for_more_hardware", "installed-differs", f"{BOX}.json",
        ecus(ecu(**has("pump-2.4", PUMP, hardware_ids=[SECONDARY, OTHER]))))
refuses("that_waits_for_a_reboot", "pending-install", "", {"pending_install": True})
installs("that_waits_for_nothing", {"pending_install": False})


@case(outcome="refuse", problems=[f"installed-differs {BOX}.json"], name="device_with_a_package_of_two_ecus_installed")
def _(box):
    box.lockboxes["pump"]["pump-2.4"] = entry(b"pump firmware", [SECONDARY, OTHER])
    box.delegations["team"].targets["pump-2.4"] = with_name(entry(b"pump firmware", [SECONDARY, OTHER]), "pump", "2.4")
    both = entry(b"pump firmware", [SECONDARY, OTHER])
    return lambda box: {**chains(box), **ecus(ecu(**has("pump-2.4", both)), ecu(OTHER))}


# Hardware, secondaries and their roots

known(lambda box: ecus(primary=OTHER), name="device_of_other_hardware", outcome="nothing",
      problems=["nothing-to-install director"])
installs("whose_secondary_has_the_roots", ecus(ecu(director=1, image_repo=1)))
refuses("whose_secondary_has_no_roots", "secondary-root", "director/1.root.json", ecus(ecu(director=0, image_repo=0)),
        "secondary-root image-repo/1.root.json")
refuses("whose_secondary_has_no_image_root", "secondary-root", "image-repo/1.root.json", ecus(ecu(image_repo=0)))
refuses("of_whose_secondary_nothing_is_known", "secondary-root", "director/1.root.json",
        ecus({"hardware_id": SECONDARY}), "secondary-root image-repo/1.root.json")
installs("whose_idle_secondary_has_no_roots", ecus(ecu(), ecu(OTHER, director=0, image_repo=0)))


def rotated(box):
    for repo in ("director", "image-repo"):
        box.rotate(repo)
        box.rotate(repo)


@case(name="device_whose_secondary_gets_all_roots")
def _(box):
    rotated(box)
    return lambda box: {**chains(box), **ecus(ecu(director=0, image_repo=0))}


@case(name="device_with_later_roots_whose_secondary_gets_them_from_the_stick")
def _(box):
    rotated(box)
    return lambda box: {"roots": {"director": [box.documents["director/3.root"]],
                                  "image_repo": [box.documents["image-repo/3.root"]]},
                        **ecus(ecu(director=0, image_repo=0))}


@case(outcome="refuse", problems=["secondary-root director/3.root.json"],
      name="device_with_later_roots_and_none_for_its_secondary")
def _(box):
    rotated(box)
    box.drop("director/1.root")
    return lambda box: {"roots": {"director": [box.documents["director/3.root"]],
                                  "image_repo": [box.documents["image-repo/3.root"]]},
                        **ecus(ecu(director=0, image_repo=0))}


@case(name="device_whose_secondary_needs_no_old_root")
def _(box):
    rotated(box)
    box.drop("director/1.root")
    return lambda box: {"roots": {"director": [box.documents["director/3.root"]],
                                  "image_repo": [box.documents["image-repo/3.root"]]},
                        **ecus(ecu(director=2, image_repo=2))}


@case(outcome="refuse", problems=["secondary-root director/3.root.json"],
      name="device_whose_secondary_lacks_the_last_root")
def _(box):
    rotated(box)
    box.drop("director/3.root")
    return lambda box: {**chains(box, 3, 3), **ecus(ecu(director=1, image_repo=1))}


@case(outcome="refuse", problems=["secondary-root director/2.root.json"], trust=False,
      name="device_whose_secondary_finds_a_foreign_root")
def _(box):
    box.rotate("director")
    box.edit_document("director/1.root", lambda document: document["signatures"].clear())
    return lambda box: {"roots": {"director": [box.documents["director/2.root"]]},
                        **ecus(ecu(director=0, image_repo=1))}


@case(name="device_whose_container_ecu_has_roots")
def _(box):
    box.lockboxes["pump"]["app.yml-1"] = entry(b"services:", [COMPOSE])
    box.targets["app.yml-1"] = with_name(entry(b"services:", [COMPOSE]), "app.yml", "1")
    return lambda box: ecus(ecu(), ecu(COMPOSE))


@case(outcome="refuse", name="compose_for_a_device_of_which_nothing_is_known",
      problems=["secondary-root director/1.root.json", "secondary-root image-repo/1.root.json"])
def _(box):
    box.lockboxes["pump"]["app.yml-1"] = entry(b"services:", [COMPOSE])
    box.targets["app.yml-1"] = with_name(entry(b"services:", [COMPOSE]), "app.yml", "1")


@case(hardware=f"{PRIMARY},{SECONDARY}", outcome="refuse", name="only_the_ecu_behind_the_primary_is_updated",
      problems=["secondary-root director/1.root.json", "secondary-root image-repo/1.root.json"])
def _(box):
    del box.lockboxes["pump"]["bootloader-1"]


@case(hardware=f"{PRIMARY},{SECONDARY}", name="only_the_primary_of_two_is_updated")
def _(box):
    del box.lockboxes["pump"]["pump-2.4"]


# Kinds of packages, space, clock, limits

refuses("whose_primary_takes_ostree", "wrong-package-kind", f"{BOX}.json",
        {**ecus(ecu()), "package_manager": "ostree"})
installs("whose_primary_takes_files", {**ecus(ecu()), "package_manager": "none"})
refuses("without_space", "device-space", f"{BOX}.json", {**ecus(ecu()), "free_space": 1 << 20})
refuses("with_a_byte_too_little_space", "device-space", f"{BOX}.json",
        {**ecus(ecu()), "free_space": (1 << 20) + 4096 + len(b"pump firmware")})
installs("with_just_enough_space", {**ecus(ecu()), "free_space": (1 << 20) + 4096 + len(b"pump firmware") + 1})
installs("with_space_for_what_it_lacks", {**ecus(ecu(), **has("bootloader-1", BOARD)),
                                          "free_space": (1 << 20) + len(b"pump firmware") + 1})
known(lambda box: {"clock": "1970-01-01T00:05:00Z"}, name="device_at_1970", problems=["device-clock "])
known(lambda box: {"clock": "1970-01-01T00:05:00Z", "clock_checked_at": "2026-11-22T10:00:00Z"},
      name="device_that_stands_at_1970", problems=["device-clock "])
known(lambda box: {"clock": "2029-01-01T00:00:00Z"}, name="device_ahead_of_time", outcome="refuse",
      problems=[f"device-clock ", "expired-role director/1.root.json", f"expired-role {SNAPSHOT}.json",
                f"expired-role {BOX}.json", "expired-role image-repo/1.root.json", f"expired-role {IMAGE_SNAPSHOT}.json",
                f"expired-role {TARGETS}.json", f"target-not-in-image-repo {TARGETS}.json"])
installs("with_a_good_clock", {"clock": "2026-11-22T09:59:58Z", "clock_checked_at": "2026-11-22T10:00:00Z"})
installs("with_a_clock_read_yesterday", {"clock": "2026-11-22T10:00:00Z"})


@case(False, "install", ["expired-role director/pump.json", "device-clock "], name="device_at_1970_and_an_expired_lockbox")
def _(box):
    box.expires[BOX] = "2026-11-22T00:00:00Z"
    return lambda box: {"clock": "1970-01-01T00:05:00Z", "clock_checked_at": "2026-11-22T10:00:00Z"}


@case(False, "refuse", ["device-clock ", "expired-role director/pump.json"], name="device_at_1970_may_be_set_right")
def _(box):
    box.expires[BOX] = "2026-11-22T00:00:00Z"
    return lambda box: {"clock": "1970-01-01T00:05:00Z"}


known(lambda box: {"offline_updates": False}, name="device_that_does_not_look", outcome="nothing",
      problems=["not-looked-for "])
installs("that_looks", {"offline_updates": True, "source": "/var/rootdirs/media/UPDATE/update"})


def large_snapshot(box):
    box.edit(SNAPSHOT, lambda signed: signed["meta"].update({f"zz-{n}.json": {"version": 1} for n in range(4000)}))


@case(name="device_with_a_later_client")
def _(box):
    large_snapshot(box)
    return lambda box: {"offline_snapshot_max": 1 << 20}


@case(outcome="refuse", problems=[f"device-limit {SNAPSHOT}.json"], name="device_with_the_client_of_2024")
def _(box):
    large_snapshot(box)
    return lambda box: {"offline_snapshot_max": 1 << 16}


# What the device sees otherwise than the standard

@case(problems=["device-limit director/2.root.json"], name="root_too_large_for_the_device")
def _(box):
    box.rotate("director", ())
    box.put("director/2.root", padding="x" * 70000)


@case(outcome="refuse", problems=["device-limit director/2.root.json", "threshold-not-met director/offline-snapshot.json"],
      name="root_too_large_for_the_device_brings_new_keys")
def _(box):
    box.rotate("director", ("root", "offline-snapshot", "offline-updates"))
    box.put("director/2.root", padding="x" * 70000)


@case(outcome="refuse", problems=["device-limit director/2.root.json", "expired-role director/1.root.json"],
      name="root_too_large_for_the_device_after_one_that_has_expired")
def _(box):
    box.expires["director/1.root"] = "2026-11-22T00:00:00Z"
    box.rotate("director", ())
    box.put("director/2.root", padding="x" * 70000)


@case(outcome="refuse", problems=[f"target-mismatch {TARGETS}.json"], name="image_repo_names_ecus")
def _(box):
    box.targets["bootloader-1"]["custom"]["ecuIdentifiers"] = {"serial": {"hardwareId": PRIMARY}}
