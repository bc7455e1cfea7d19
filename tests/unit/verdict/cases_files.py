# SPDX-License-Identifier: Apache-2.0
"""Good lockboxes; then files that are missing, too large, no strict JSON, no role, or out of date."""

import json

from box import (BOX, DELEGATED, IMAGE_SNAPSHOT, NOW, PAST, SNAPSHOT, TARGETS, RsaKey, broken, case, picky,
                 strict)


@case()
def good_ed25519(box):
    pass


@case(key=RsaKey)
def good_rsa(box):
    pass


@case(trust=False)
def good_without_trust(box):
    pass


@case(hardware="")
def good_without_hardware_ids(box):
    pass


@case(lockbox="pump")
def good_named_lockbox(box):
    pass


@case()
def good_formatted_anew(box):
    """Hashes are over the canonical form: indentation on the way changes nothing."""
    write = box.write

    def pretty(folder):
        write(folder)
        for file in folder.glob("*/*.json"):
            file.write_text(json.dumps(json.loads(file.read_text()), indent=4))
    box.write = pretty


@case()
def good_extra_fields(box):
    box.put(BOX, comment="a field that nobody knows", more={"a": [1, -2, None, True]})


@case()
def good_number_with_a_point(box):
    box.put(BOX, comment=1.5)


# Presence and size

@case(False, "refuse", ["missing-director director"])
def no_director(box):
    box.drop("director")


@case(False, "refuse", ["missing-image-repo image-repo"])
def no_image_repo(box):
    box.drop("image-repo")


@case(False, "nothing", ["missing-image-repo image-repo", "nothing-to-install director"], hardware="press")
def no_image_repo_and_nothing_wanted(box):
    """The device looks at the image repository only when something is for it."""
    box.drop("image-repo")


@broken("missing-role", SNAPSHOT)
def no_offline_snapshot(box):
    box.drop(SNAPSHOT)


@broken("missing-role", IMAGE_SNAPSHOT)
def no_image_snapshot(box):
    box.drop(IMAGE_SNAPSHOT)


@broken("missing-role", TARGETS)
def no_targets(box):
    box.drop(TARGETS)


def pad(size):
    return lambda data: data + b" " * (size - len(data))


SMALL_ROLES = ("director/1.root", SNAPSHOT, BOX, "image-repo/1.root", IMAGE_SNAPSHOT)

for role in SMALL_ROLES:
    @case(name=f"good_as_large_as_the_device_reads_{role}")
    def _(box, role=role):
        box.edit_bytes(role, pad(64 << 10))

for role in (SNAPSHOT, BOX, IMAGE_SNAPSHOT):
    @picky("device-limit", role, name=f"larger_than_the_device_reads_{role}")
    def _(box, role=role):
        box.edit_bytes(role, pad((64 << 10) + 1))

for role in (TARGETS, DELEGATED):
    @picky("device-limit", role, name=f"larger_than_the_device_reads_{role}")
    def _(box, role=role):
        box.edit_bytes(role, pad((8 << 20) + 1))


@broken("too-large", TARGETS)
def too_large_for_anybody(box):
    box.edit_bytes(TARGETS, pad((16 << 20) + 1))


# JSON: refused even where the device's lenient parser would take it.

def twice(data):
    head, _, tail = data.rpartition(b'"version":')
    return head + b'"version":7,"version":' + tail


NOT_STRICT = {
    "byte_order_mark": ("json-byte-order-mark", lambda data: b"\xef\xbb\xbf" + data),
    "duplicate_key": ("json-duplicate-key", twice),
    "trailing_bytes": ("json-trailing-bytes", lambda data: data + b"{}"),
    "comment": ("bad-json", lambda data: b"/* signed */" + data),
    "trailing_comma": ("bad-json", lambda data: data[:-1] + b",}"),
    "single_quotes": ("bad-json", lambda data: data.replace(b'"signed"', b"'signed'")),
    "cut_short": ("bad-json", lambda data: data[:-10]),
    "empty": ("bad-json", lambda data: b""),
    "no_utf_8": ("bad-json", lambda data: data.replace(b'"signed"', b'"signed\xff"')),
    "not_a_number": ("bad-json", lambda data: data[:-1] + b',"x":NaN}'),
    "deep": ("json-too-deep", lambda data: data[:-1] + b',"x":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    "nul": ("bad-json", lambda data: data[:-1] + b',"x":"\\u0000"}'),
}

for role in (SNAPSHOT, BOX, TARGETS, DELEGATED):
    for kind, (problem, change) in NOT_STRICT.items():
        @broken(problem, role, name=f"json_{kind}_{role}")
        def _(box, role=role, change=change):
            box.edit_bytes(role, change)


# The fields that all roles share

@broken("bad-role", BOX)
def envelope_is_an_array(box):
    box.edit_bytes(BOX, lambda data: b"[" + data + b"]")


@broken("bad-role", BOX)
def no_signatures(box):
    box.edit_bytes(BOX, lambda data: data.replace(b'"signatures"', b'"signature"'))


@broken("bad-role", BOX)
def signature_without_sig(box):
    box.edit_document(BOX, lambda document: document["signatures"][0].pop("sig"))


WRONG_FIELDS = {
    "no_type": ("bad-role", lambda signed: signed.pop("_type")),
    "type_of_another_role": ("wrong-role-type", lambda signed: signed.update(_type="Timestamp")),
    "type_in_lower_case": ("wrong-role-type", lambda signed: signed.update(_type=signed["_type"].lower())),
    "no_version": ("bad-role", lambda signed: signed.pop("version")),
    "version_0": ("bad-role", lambda signed: signed.update(version=0)),
    "version_beyond_31_bits": ("bad-role", lambda signed: signed.update(version=2 ** 31)),
    "version_as_text": ("bad-role", lambda signed: signed.update(version="1")),
    "version_with_a_point": ("bad-role", lambda signed: signed.update(version=1.0)),
    "no_expiry": ("bad-role", lambda signed: signed.pop("expires")),
    "expiry_with_offset": ("bad-role", lambda signed: signed.update(expires="2027-11-22T12:00:00+00:00")),
    "expiry_with_fraction": ("bad-role", lambda signed: signed.update(expires="2027-11-22T12:00:00.0Z")),
    "expiry_that_does_not_exist": ("bad-role", lambda signed: signed.update(expires="2027-02-30T12:00:00Z")),
}

for kind, (problem, change) in WRONG_FIELDS.items():
    for role in (BOX, IMAGE_SNAPSHOT):
        @broken(problem, role, name=f"{kind}_{role}")
        def _(box, role=role, change=change):
            box.edit(role, change)
            if role == BOX:
                box.edit(SNAPSHOT, lambda signed: signed["meta"]["pump.json"].update(version=1))


# Dates

DATED = ("director/1.root", SNAPSHOT, BOX, "image-repo/1.root", IMAGE_SNAPSHOT, TARGETS)

for role in DATED:
    @broken("expired-role", role, name=f"expired_{role}")
    def _(box, role=role):
        box.put(role, expires=PAST)

    @strict("expired-role", role, name=f"expires_this_second_{role}")
    def _(box, role=role):
        """The standard wants now < expires; the device still takes it."""
        box.put(role, expires=NOW)

    @case(name=f"good_expires_next_second_{role}")
    def _(box, role=role):
        box.put(role, expires="2026-11-23T00:00:01Z")


@case(False, "refuse", ["expired-role director/1.root.json", f"expired-role {SNAPSHOT}.json",
                        f"expired-role {BOX}.json"])
def every_date_of_the_director_past(box):
    for role in ("director/1.root", SNAPSHOT, BOX):
        box.put(role, expires=PAST)


@case()
def good_expired_root_with_a_successor(box):
    box.put("director/1.root", expires=PAST)
    box.rotate("director")
