# SPDX-License-Identifier: Apache-2.0
"""Dates, versions, listings, files, signatures, keys and roots."""

from functools import partial

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from box import (BOX, DELEGATED, IMAGE_SNAPSHOT, PAST, SNAPSHOT, TARGETS, EcdsaKey, OddRsaKey, nth_key, sha256, sign)
from random_case import DATES, REPOS, SIGNED, change
from signer import Ed25519Key

TOO_LARGE = "x" * (64 << 10)


@change
def dates(case):
    path = case.choose(case.role(), case.root())
    case.box.expires[path] = case.choose(*DATES)


@change
def another_date(case):
    case.box.expires[case.role()] = case.choose(*DATES)


@change
def versions(case):
    for path in case.rng.sample(SIGNED, case.choose(1, 2, 3)):
        case.box.put(path, version=case.choose(2, 3, (1 << 31) - 1))


@change
def odd_versions(case):
    path = case.choose(case.role(), case.root())
    case.box.put(path, version=case.choose(-1, 0, 1 << 31, 1 << 40, "1", None, True, [1]))
    case.allow("bad-role")


@change
def odd_dates(case):
    path = case.choose(case.role(), case.root())
    case.box.put(path, expires=case.choose("2027-11-22T12:00:00.5Z", "2027-11-22T12:00:00+00:00",
                                           "2027-11-22 12:00:00Z", "2027-02-30T12:00:00Z", "2027-11-22T12:00:00z", "",
                                           None, 1800000000))
    case.allow("bad-role")


@change
def version_of_a_root(case):
    case.box.put(case.root(), version=case.rng.randint(1, 5))
    case.allow("root-gap", "bad-role", "wrong-version", "root-changed")


@change
def listing(case):
    path, file = case.choose((SNAPSHOT, "pump.json"), (IMAGE_SNAPSHOT, "targets.json"), (IMAGE_SNAPSHOT, "team.json"))
    how = case.choose("version", "sha256", "SHA256", "sha512", "nothing", "other", "gone", "length", "text")

    def edit(signed):
        listed = signed.get("meta", {}).get(file)
        if listed is None:
            return
        if how == "version":
            listed["version"] += case.choose(-1, 1, 1)
        elif how == "sha256":
            listed["hashes"]["sha256"] = sha256(b"other")
        elif how == "SHA256":
            listed["hashes"] = {kind: digest.upper() for kind, digest in listed["hashes"].items()}
        elif how == "sha512":
            listed["hashes"] = {"sha512": sha256(b"a") * 2}
        elif how == "nothing":
            del listed["hashes"], listed["length"]
        elif how == "other":
            listed["hashes"] = {"md5": "00" * 16}
        elif how == "gone":
            del signed["meta"][file]
        elif how == "length":
            listed["length"] += 1
        elif how == "text":
            listed["version"] = str(listed["version"])
    case.box.edit(path, edit)
    case.allow("bad-role") if how == "version" else None  # version 0
    case.plan.append(f"{file}: {how}")


@change
def more_listed(case):
    path = case.choose(SNAPSHOT, IMAGE_SNAPSHOT)
    name = case.choose("aaa.json", "zzz.json", "pum.json", "pump-a.json", "p.ump.json", "Root.json", "TARGETS.json",
                       "timestamp.json", "offline-snapshot.json", "pump.txt", "pump")
    fields = case.choose({"version": 1}, {"version": 7, "hashes": {"sha256": "00" * 32}, "length": 3}, {},
                         {"version": None}, {"version": "1"}, {"version": 1, "length": {}}, {"version": 1 << 31},
                         {"version": 1, "hashes": []}, {"version": True}, 1, None)
    case.box.edit(path, lambda signed: signed.get("meta", {}).update({name: fields}))
    case.allow("bad-role", "bad-delegation")
    case.plan.append(f"{path}: {name} {fields}")


@change
def fields_missing(case):
    path = case.choose(case.role(), case.root())
    field = case.choose("version", "expires", "_type", "targets", "meta", "keys", "roles")
    case.box.edit(path, lambda signed: signed.pop(field, None))
    case.allow("bad-role")


@change
def type_of_another(case):
    case.box.put(case.choose(case.role(), case.root()), _type=case.choose("Targets", "Snapshot", "Root", "root",
                                                                         "Offline-Updates", "Offline-Snapshot"))
    case.allow("wrong-role-type", "bad-role")


@change
def dropped(case):
    case.box.drop(case.choose(case.role(), case.root(), case.root(), "director", "image-repo"))
    case.allow("missing-director", "missing-image-repo")


@change
def signers(case):
    path = case.choose(case.role(), case.root())
    stranger = nth_key(Ed25519Key, 1000)
    keys = case.keys(path)
    case.box.signers[path] = case.choose([stranger], [], [*keys, stranger], [stranger, *keys], keys[:1],
                                         [*keys, *keys], [*keys, stranger, stranger])
    case.allow("duplicate-signature")


@change
def one_of_two(case):
    """Two keys, of which one is enough: what is wrong with the other's signature?"""
    case.box.threshold = 1


@change
def rsa_keys(case):
    """What the client makes of other sizes and paddings."""
    role = case.choose(*(r for r in case.box.keys if r != "team"))
    pss = partial(padding.PSS, padding.MGF1(hashes.SHA256()))
    makers = {"1024": partial(OddRsaKey, 1024), "pkcs1": partial(OddRsaKey, 2048, padding.PKCS1v15()),
              "no salt": partial(OddRsaKey, 2048, pss(0)), "long salt": partial(OddRsaKey, 2048, pss(222)),
              "2040": partial(OddRsaKey, 2040), "mgf1 sha1": partial(
                  OddRsaKey, 2048, padding.PSS(padding.MGF1(hashes.SHA1()), 32))}
    how = case.choose(*makers)
    RSA_MAKERS.setdefault(how, makers[how])
    case.box.keys[role] = [nth_key(RSA_MAKERS[how], 0), *case.box.keys[role][1:]]
    for roots in case.box.roots.values():  # of the last root, so that what it names and what signs agree
        roots[-1].pop("keys", None)
    case.plan.append(f"{role}: {how}")
    case.allow("unsupported-key", "bad-key")


RSA_MAKERS = {}


@change
def signatures(case):
    path = case.choose(case.role(), case.root())
    how = case.choose("method", "capitals", "pss", "pkcs", "broken", "not base64", "short", "stranger",
                      "stranger not base64", "stranger pkcs", "none", "text")

    def edit(document):
        listed = document["signatures"]
        first = listed[0] if listed else {}
        if how == "method":
            first["method"] = "rsassa-pss-sha256"
        elif how == "capitals":
            first["method"] = first.get("method", "").upper()
        elif how == "pss":
            first["method"] = "rsassa-pss"
        elif how == "pkcs":
            first["method"] = "rsassa-pkcs1-v1_5-sha256"
        elif how == "broken":
            first["sig"] = sign(nth_key(Ed25519Key, 1000), {})["sig"]
        elif how == "not base64":
            first["sig"] = "$$$$"
        elif how == "short":
            first["sig"] = "AAAA"
        elif how.startswith("stranger"):
            more = sign(nth_key(Ed25519Key, 1001), document["signed"])
            more.update({"stranger not base64": {"sig": "$$$$"}, "stranger pkcs": {"method": "rsa"}}.get(how, {}))
            listed.append(more)
        elif how == "none":
            document["signatures"] = []
        elif how == "text":
            document["signatures"] = "none"
    case.box.edit_document(path, edit)
    case.allow(*{"method": ["bad-signature", "root-not-trusted"], "pss": ["bad-signature", "root-not-trusted"],
                 "stranger not base64": ["bad-role", "bad-signature"]}.get(how, []))
    case.plan.append(f"{path}: {how}")


@change
def wrong_bytes(case):
    """Signed, and changed after."""
    path = case.choose(case.role(), case.root())
    case.box.edit_document(path, lambda document: document["signed"].update(extra=1))


@change
def too_large(case):
    path = case.choose(SNAPSHOT, SNAPSHOT, BOX, IMAGE_SNAPSHOT, TARGETS, DELEGATED, case.root(), case.root())
    case.box.put(path, padding=TOO_LARGE)
    if case.may(0.5):
        case.state["offline_snapshot_max"] = 1 << 20


@change
def outside_ascii(case):
    path = case.choose(case.role(), case.root())
    case.box.put(path, comment=case.choose("\u00e4", "\u20ac", "\U0001f527", "\x7f"))


def role_in_root(case, edit):
    repo = case.choose(*REPOS)
    path = case.choose(case.root(repo), f"{repo}/{len(case.box.roots[repo])}.root")
    role = case.choose(*(("root", "offline-snapshot", "offline-updates", "timestamp") if repo == "director" else
                         ("root", "snapshot", "targets", "timestamp")))
    case.box.edit(path, lambda signed: edit(signed, signed.get("roles", {}).get(role, {})))
    case.plan.append(f"{path}: {role}")


@change
def thresholds(case):
    value = case.choose(0, -1, 1, 2, 3, 1001, 1 << 33)
    role_in_root(case, lambda signed, role: role.update(threshold=value))
    case.allow("bad-threshold", "bad-role")


@change
def keys_of_a_role(case):
    how = case.choose("unknown too", "twice", "none", "gone", "another")

    def edit(signed, role):
        ids = role.get("keyids", [])
        if how == "unknown too":
            ids.append("00" * 32)
        elif how == "twice":
            ids.extend(ids[:1])
        elif how == "none":
            ids.clear()
        elif how == "gone":
            role.clear()
        elif how == "another":
            role["keyids"] = list(signed.get("keys", {}))[:1]
    role_in_root(case, edit)
    case.plan.append(how)
    case.allow(*{"twice": ["bad-role"], "unknown too": ["bad-role"], "gone": ["bad-role"],
                 "none": ["bad-role", "bad-threshold"], "another": ["bad-threshold"]}.get(how, []))


@change
def role_in_other_letters(case):
    """For the client these are the same role; what a root says of one that it does not know does not matter."""
    repo = case.choose(*REPOS)
    name = case.choose("Snapshot", "TARGETS", "Offline-Updates", "Root", "Timestamp", "team", "mirrors", "invalidrole")
    role = case.choose({"keyids": [], "threshold": 0}, {"keyids": [], "threshold": 1}, {"threshold": 1001}, {},
                       {"keyids": [nth_key(Ed25519Key, 1000).keyid], "threshold": 1}, None, "text")
    path = case.root(repo)
    case.box.edit(path, lambda signed: signed.get("roles", {}).update({name: role}))
    case.allow("bad-role", "bad-threshold", "root-not-trusted")
    case.plan.append(f"{path}: {name} {role}")


@change
def keys_of_a_root(case):
    how = case.choose("ecdsa", "gone", "more", "broken", "unknown kind")
    path = case.root()

    def edit(signed):
        first = next(iter(signed.get("keys", {})), None)
        if how == "ecdsa":
            key = nth_key(EcdsaKey, 0)
            signed.setdefault("keys", {})[key.keyid] = key.entry
        elif how == "gone" and first:
            del signed["keys"][first]
        elif how == "more":
            signed.setdefault("keys", {})["11" * 32] = nth_key(Ed25519Key, 1002).entry
        elif how == "broken" and first:
            signed["keys"][first] = {"keytype": "ED25519", "keyval": {"public": "00"}}
        elif how == "unknown kind":
            signed.setdefault("keys", {})["22" * 32] = {"keytype": "DSA", "keyval": {"public": "00"}}
    case.box.edit(path, edit)
    case.allow(*{"gone": ["bad-role", "bad-threshold"], "broken": ["bad-key"]}.get(how, []))
    case.plan.append(f"{path}: {how}")


@change
def roots_signed_by_one_side(case):
    repo = case.choose(*REPOS)
    plans = [p for p in case.box.roots[repo] if "signers" in p]
    if plans:
        plan = case.rng.choice(plans)
        plan["signers"] = case.choose(plan["signers"][:1], plan["signers"][-1:])


@change
def gap(case):
    repo = case.choose(*REPOS)
    while len(case.box.roots[repo]) < 3:
        case.box.rotate(repo, case.choose(("root",), ()))
    case.box.drop(f"{repo}/{case.rng.randint(2, len(case.box.roots[repo]))}.root")


@change
def expired_roots(case):
    repo = case.choose(*REPOS)
    for n in range(1, len(case.box.roots[repo]) + 1):
        if case.may(0.6):
            case.box.expires[f"{repo}/{n}.root"] = PAST
