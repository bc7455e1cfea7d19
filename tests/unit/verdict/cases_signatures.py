# SPDX-License-Identifier: Apache-2.0
"""Signatures: thresholds, whose they are, methods and key types, and the form that was signed."""

import copy
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from box import (BOX, DELEGATED, IMAGE_SNAPSHOT, SNAPSHOT, TARGETS, EcdsaKey, Ed25519Key, OddRsaKey, RsaKey, broken,
                 case, picky, sign)

SIGNED = (SNAPSHOT, BOX, IMAGE_SNAPSHOT, TARGETS, DELEGATED)


def flip(document, index=0):
    sig = document["signatures"][index]["sig"]
    middle = len(sig) // 2
    document["signatures"][index]["sig"] = \
        sig[:middle] + ("A" if sig[middle] != "A" else "B") + sig[middle + 1:]


for role in SIGNED:
    @broken("bad-signature", role, name=f"signature_flipped_{role}")
    def _(box, role=role):
        box.edit_document(role, flip)

    @broken("bad-signature", role, name=f"signature_flipped_rsa_{role}", key=RsaKey)
    def _(box, role=role):
        box.edit_document(role, flip)

    @broken("threshold-not-met", role, name=f"signed_by_a_stranger_{role}")
    def _(box, role=role):
        box.signers[role] = [Ed25519Key()]

    @broken("duplicate-signature", role, name=f"signed_twice_by_one_key_{role}")
    def _(box, role=role):
        box.edit_document(role, lambda document: document["signatures"].append(document["signatures"][0]))

    @picky("unsupported-key", role, name=f"signature_of_unknown_method_{role}")
    def _(box, role=role):
        box.edit_document(role, lambda document: document["signatures"].append(
            {"keyid": "ab" * 32, "method": "sphincs", "sig": "AAAA"}))


@case(count=3)
def good_three_of_three(box):
    pass


@broken("threshold-not-met", BOX, count=3)
def two_of_three(box):
    box.signers[BOX] = box.keys["director/offline-updates"][:2]


@broken("bad-signature", BOX, count=3)
def one_of_three_is_bad(box):
    box.edit_document(BOX, lambda document: flip(document, 2))


@broken("duplicate-signature", BOX, count=2)
def threshold_reached_by_one_key_twice(box):
    key = box.keys["director/offline-updates"][0]
    box.signers[BOX] = [key, key]


@case(count=2)
def good_threshold_met_beside_a_bad_signature(box):
    """Threshold 1 of 2 keys, one of the two signatures is bad: enough."""
    box.edit("director/1.root", lambda signed: signed["roles"]["offline-updates"].update(threshold=1))
    box.edit_document(BOX, flip)


@case()
def good_signature_of_a_stranger_beside(box):
    box.signers[BOX] = [*box.keys["director/offline-updates"], Ed25519Key()]


@broken("threshold-not-met", BOX)
def signed_by_the_key_of_another_role(box):
    box.signers[BOX] = box.keys["director/offline-snapshot"]


@broken("bad-signature", BOX)
def stranger_with_a_borrowed_keyid(box):
    stranger = Ed25519Key()
    stranger.keyid = box.keys["director/offline-updates"][0].keyid
    box.signers[BOX] = [stranger]


@broken("bad-signature", BOX)
def content_changed_after_signing(box):
    box.edit_document(BOX, lambda document: document["signed"]["targets"]["pump-2.4"].update(length=14))


@broken("bad-signature", BOX)
def signature_is_no_base64(box):
    box.edit_document(BOX, lambda document: document["signatures"][0].update(sig="***"))


@broken("threshold-not-met", BOX)
def no_signature_at_all(box):
    box.edit_document(BOX, lambda document: document["signatures"].clear())


@broken("bad-signature", BOX, key=RsaKey)
def method_of_another_key_type(box):
    box.edit_document(BOX, lambda document: document["signatures"][0].update(method="ed25519"))


# Keys and methods

def sign_box_with(box, key):
    box.keys["director/offline-updates"] = [key]


@case()
def good_rsa_3072(box):
    sign_box_with(box, OddRsaKey(3072))


@case()
def good_rsa_4096(box):
    sign_box_with(box, OddRsaKey(4096))


@picky("unsupported-key", BOX)
def rsa_2560_which_the_device_does_not_know(box):
    sign_box_with(box, OddRsaKey(2560))


@broken("bad-key", "director/1.root")
def rsa_1024(box):
    sign_box_with(box, OddRsaKey(1024))


@case()
def good_rsa_with_another_salt_length(box):
    sign_box_with(box, OddRsaKey(scheme=padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)))


@case(key=RsaKey)
def good_method_in_capitals(box):
    box.edit_document(BOX, lambda document: document["signatures"][0].update(method="RSASSA-PSS"))


@broken("bad-signature", BOX)
def rsa_pkcs1(box):
    sign_box_with(box, OddRsaKey(scheme=padding.PKCS1v15()))


@case(True, "refuse", ["unsupported-key director/1.root.json", f"unsupported-key {BOX}.json"])
def ecdsa_signs_the_lockbox(box):
    sign_box_with(box, EcdsaKey())


@case(False, "refuse", ["unsupported-key director/1.root.json", f"bad-signature {BOX}.json"])
def ecdsa_signature_flipped(box):
    sign_box_with(box, EcdsaKey())
    box.edit_document(BOX, flip)


@picky("unsupported-key", "director/1.root")
def ecdsa_key_that_signs_nothing(box):
    box.keys["director/timestamp"] = [EcdsaKey()]


@picky("unsupported-key", "image-repo/1.root")
def key_of_unknown_type(box):
    box.edit("image-repo/1.root", lambda signed: signed["keys"].update(
        {"cd" * 32: {"keytype": "SPHINCS", "keyval": {"public": "00"}}}))


@picky("unsupported-key", TARGETS)
def ecdsa_key_of_a_delegation(box):
    key = EcdsaKey()
    box.edit(TARGETS, lambda signed: signed["delegations"]["keys"].update({key.keyid: key.entry}))


@broken("bad-key", "director/1.root")
def ed25519_key_too_short(box):
    box.edit("director/1.root", lambda signed: signed["keys"].update(
        {"ef" * 32: {"keytype": "ED25519", "keyval": {"public": "00" * 31}}}))


@broken("bad-role", "director/1.root")
def key_without_value(box):
    box.edit("director/1.root", lambda signed: signed["keys"].update({"ef" * 32: {"keytype": "ED25519"}}))


# Two canonical forms: the cloud signs raw UTF-8, the device escapes it before it verifies.

@picky("non-ascii-role", BOX)
def text_outside_ascii_in_the_lockbox(box):
    box.put(BOX, comment="Größe ✓ 水泵 🚰")


@picky("non-ascii-role", BOX)
def text_outside_ascii_as_escapes(box):
    box.put(BOX, comment="Größe")
    box.edit_bytes(BOX, lambda data: json.dumps(json.loads(data)).encode())


@case(True, "refuse", [f"non-ascii-role {TARGETS}.json"] * 2)
def text_outside_ascii_in_the_targets(box):
    """Signature and hash, each in another form than the device's."""
    box.put(TARGETS, comment="Größe")


@case()
def good_text_outside_ascii_signed_as_the_device_does(box):
    box.put(BOX, comment="Größe ✓ 🚰")

    def sign_escaped(document):
        text = json.dumps(document["signed"], sort_keys=True, separators=(",", ":"))
        key = box.keys["director/offline-updates"][0]
        document["signatures"] = [sign(key, None, text.encode())]
    box.edit_document(BOX, sign_escaped)


@case()
def good_text_outside_ascii_that_is_not_signed(box):
    box.edit_document(BOX, lambda document: document.update(comment="Größe"))


@picky("odd-number", BOX)
def number_that_the_device_prints_otherwise(box):
    box.put(BOX, comment=0.1)


@case(True, "refuse", [f"odd-number {TARGETS}.json"] * 2)
def number_that_the_device_prints_otherwise_in_the_targets(box):
    box.edit(TARGETS, lambda signed: signed["targets"]["bootloader-1"]["custom"].update(ratio=1e-7))


@case()
def good_control_characters(box):
    box.put(BOX, comment="\x01\x1f\x7f\"\\/\b\f\n\r\t")
    box.edit(TARGETS, lambda signed: signed.update(copy.deepcopy({"comment": "\x0b\x7f"})))
