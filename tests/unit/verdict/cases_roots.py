# SPDX-License-Identifier: Apache-2.0
"""Chains of roots."""

from box import (BOX, PRIMARY, SECONDARY, EcdsaKey, Ed25519Key, RsaKey, broken, case, noted, nth_key, picky,
                 strict)


def after_writing(box, change):
    write = box.write

    def write_and_change(folder):
        write(folder)
        change(folder)
    box.write = write_and_change


def rewrite(path, old, new, to=None):
    """Replaces bytes of a file once everything is written."""
    def change(folder):
        data = (folder / path).read_bytes()
        assert old in data
        (folder / (to or path)).write_bytes(data.replace(old, new))
    return change


def rotate_twice(box):
    box.rotate("director")
    box.rotate("director")


@case()
def good_rotated(box):
    rotate_twice(box)
    box.rotate("image-repo")


@case()
def good_rotated_small(box):
    """For the flips: every kind of file once."""
    box.rotate("director")


@case(count=2)
def good_two_of_two(box):
    pass


@case(key=RsaKey)
def good_rotated_rsa(box):
    rotate_twice(box)


@case(count=2)
def good_rotated_with_threshold_2(box):
    rotate_twice(box)


@case()
def good_rotated_role_keys(box):
    box.rotate("director", ("offline-updates", "offline-snapshot"))
    box.rotate("image-repo", ("root", "targets", "snapshot"))


@case()
def good_trust_is_the_latest(box):
    rotate_twice(box)
    box.trust["director"] = 3


@case()
def good_trust_in_the_middle(box):
    rotate_twice(box)
    box.trust["director"] = 2
    box.drop("director/1.root", "director/2.root")


@case()
def good_trust_newer_than_the_files(box):
    box.rotate("director", ())
    box.trust["director"] = 2
    box.drop("director/2.root")


@case()
def good_no_root_beside_the_trusted_one(box):
    box.drop("director/1.root", "image-repo/1.root")


@case(False, "refuse", ["missing-role director/root.json"], trust=False)
def no_root_at_all(box):
    box.drop("director/1.root")


@case(False, "install", ["root-gap director/1.root.json"])
def gap_behind_which_the_keys_stay(box):
    box.rotate("director")
    box.rotate("director")
    box.drop("director/2.root")


@case(False, "refuse", ["root-gap director/1.root.json", "threshold-not-met director/offline-snapshot.json"])
def gap_behind_which_the_keys_change(box):
    box.rotate("director", ("root", "offline-updates", "offline-snapshot"))
    box.rotate("director")
    box.drop("director/2.root")


@case(False, "install", ["root-gap director/1.root.json"])
def gap_before_a_root_of_two_digits(box):
    for _ in range(10):
        box.rotate("director")
    box.drop(*(f"director/{n}.root" for n in range(2, 11)))


@broken("root-not-trusted", "director/2.root")
def not_signed_by_the_old_keys(box):
    box.rotate("director")
    box.signers["director/2.root"] = box.keys["director/root"]


@broken("threshold-not-met", "director/2.root")
def not_signed_by_the_new_keys(box):
    old = box.keys["director/root"]
    box.rotate("director")
    box.signers["director/2.root"] = old


@broken("root-not-trusted", "image-repo/2.root", count=2)
def signed_by_too_few_old_keys(box):
    old = box.keys["image-repo/root"]
    box.rotate("image-repo")
    box.signers["image-repo/2.root"] = [old[0], *box.keys["image-repo/root"]]


@broken("root-not-trusted", "director/2.root")
def foreign_history(box):
    """Another account's root behind the trusted one."""
    box.rotate("director")
    stranger = Ed25519Key()
    box.roots["director"][1]["keys"]["root"] = [stranger]
    box.roots["director"][1]["signers"] = [stranger]


@strict("root-changed", "director/1.root")
def trusted_version_with_other_content(box):
    """The device never looks at a root that it has already."""
    after_writing(box, rewrite("director/1.root.json", b"2027-11-22", b"2028-11-22"))


@case()
def good_trusted_version_signed_anew(box):
    """Other signatures over the same content are no other root."""
    after_writing(box, rewrite("director/1.root.json", b'"sig":"', b'"sig":"AAAA'))


@broken("wrong-version", "director/2.root")
def version_differs_from_the_file_name(box):
    box.rotate("director")
    box.put("director/2.root", version=3)


@broken("wrong-version", "director/2.root")
def same_version_again(box):
    box.rotate("director")
    box.put("director/2.root", version=1)


@broken("bad-json", "director/root", name="trusted_root_is_no_json")
def _(box):
    box.trust_bytes["director"] = b"root"


@broken("wrong-role-type", "director/root")
def trusted_root_is_no_root(box):
    after_writing(box, rewrite(f"{BOX}.json", b"", b"", to="trust/director.json"))


@broken("bad-signature", "director/root")
def trusted_root_does_not_sign_itself(box):
    after_writing(box, rewrite("director/1.root.json", b"2027-11-22", b"2028-11-22", to="trust/director.json"))


@noted("device-limit", "director/2.root")
def larger_than_the_device_reads(box):
    box.rotate("director", ())
    box.edit_bytes("director/2.root", lambda data: data + b" " * (64 << 10))


# Who may sign

for threshold in (0, -1, 2, 2 ** 40):
    @broken("bad-threshold", "director/1.root", name=f"threshold_{threshold}_of_one_key")
    def _(box, threshold=threshold):
        box.edit("director/1.root", lambda signed: signed["roles"]["targets"].update(threshold=threshold))


@broken("bad-role", "director/1.root")
def threshold_as_text(box):
    box.edit("director/1.root", lambda signed: signed["roles"]["targets"].update(threshold="1"))


@broken("bad-role", "director/1.root")
def key_named_twice(box):
    def double(signed):
        signed["roles"]["targets"]["keyids"] *= 2
    box.edit("director/1.root", double)


@broken("bad-role", "director/1.root")
def root_without_keys(box):
    box.edit("director/1.root", lambda signed: signed.pop("keys"))


@broken("bad-role", "director/1.root")
def root_that_does_not_say_who_signs_roots(box):
    box.edit("director/1.root", lambda signed: signed["roles"].pop("root"))


@broken("threshold-not-met", BOX)
def root_that_knows_no_offline_updates(box):
    box.edit("director/1.root", lambda signed: signed["roles"].pop("offline-updates"))


@broken("threshold-not-met", BOX)
def role_whose_key_is_not_listed(box):
    keyid = box.keys["director/offline-updates"][0].keyid
    box.edit("director/1.root", lambda signed: signed["keys"].pop(keyid))


@case()
def good_role_that_nobody_knows(box):
    box.edit("director/1.root", lambda signed: signed["roles"].update(
        {"remote-sessions": signed["roles"]["targets"]}))


# Roots that only an ECU behind the primary reads

@picky("secondary-root", "director/3.root", hardware=f"{PRIMARY},{SECONDARY}")
def secondary_is_handed_a_root_with_an_unsupported_key(box):
    for repo in ("director", "image-repo"):
        box.rotate(repo)
        box.rotate(repo)
        box.trust[repo] = 3
    odd = nth_key(EcdsaKey, 0)
    box.edit("director/2.root", lambda signed: signed["keys"].update({odd.keyid: odd.entry}))


@case(False, "refuse", ["root-changed director/2.root.json", "secondary-root director/2.root.json"],
      hardware=f"{PRIMARY},{SECONDARY}")
def secondary_reads_a_last_root_that_the_primary_does_not_look_at(box):
    for repo in ("director", "image-repo"):
        box.rotate(repo)
        box.trust[repo] = 2

    def forge(data):
        box.trust_bytes["director"] = data
        return data.replace(b'"version":2', b'"extra":1,"version":2')
    box.edit_bytes("director/2.root", forge)
