# SPDX-License-Identifier: Apache-2.0
"""Spoils signed roles on their way out, one defect at a time.

A tampered role leaves everything else true: where its content changes it is
signed again by the right keys, and the snapshots above it list the spoiled
copy, signed again too. So a reader that refuses must have refused because of
that one defect. The account itself is never changed: clear the tampers and
the old bytes come back.

Role names are those of Account.roles(): director/N.root, director/lockbox:NAME,
director/offline-snapshot, repo/N.root, repo/delegation:NAME, repo/targets,
repo/snapshot, repo/timestamp; director/root and repo/root mean the latest one.
"""

import copy
from dataclasses import dataclass, field, replace
from datetime import timedelta

from repository import now, parse_rfc3339, rfc3339
from signer import KEY_TYPES, RsaKey, sha256, signature

MISSING = "missing"
OPTIONS = {"at", "by", "days", "depth", "entry", "hwids", "method", "size", "text", "type"}

# One unknown key per process: making an RSA key for every forgery would be slow.
_strangers = {}


class UnknownTamper(ValueError):
    pass


@dataclass
class Tamper:
    role: str
    mode: str
    options: dict = field(default_factory=dict)

    def __post_init__(self):
        known = [MISSING, *sorted(MODES)]
        if self.mode not in known:
            raise UnknownTamper(f"no tamper mode '{self.mode}'; known: {', '.join(known)}")
        strange = set(self.options) - OPTIONS
        if strange:
            raise UnknownTamper(f"no option '{strange.pop()}'; known: "
                                + ", ".join(sorted(OPTIONS)))


class Publisher:
    """Makes what is served out of what is signed.

    A spoiled copy is made once and kept while nothing it depends on changes:
    RSASSA-PSS signatures differ each time, and a lockbox must still be the one
    that the snapshot, asked for a moment later, lists.
    """

    def __init__(self):
        self._made = {}

    def publish(self, roles, tampers):
        """{role name: bytes to serve}; a role tampered to be missing is left out."""
        aliases = {"director/root": _latest_root(roles, "director"),
                   "repo/root": _latest_root(roles, "repo")}
        by_role = {}
        for tamper in tampers:
            name = aliases.get(tamper.role, tamper.role)
            if name not in roles:
                raise UnknownTamper(f"no role '{name}'")
            by_role.setdefault(name, []).append(tamper)

        spoiled = {}
        for name, role in roles.items():
            changed = _changed_members(name, role, spoiled, aliases)
            if changed or name in by_role:
                spoiled[name] = self._spoil(name, role, changed, by_role.get(name, []))
        return {name: spoiled.get(name, role).data for name, role in roles.items()
                if not any(tamper.mode == MISSING for tamper in by_role.get(name, ()))}

    def _spoil(self, name, role, changed, tampers):
        # Identities: the held objects stay alive, so an id is never given to another.
        basis = (id(role), [(entry, id(member)) for entry, member in changed.items()],
                 [id(tamper) for tamper in tampers])
        if self._made.get(name, (None,))[0] != basis:
            present = _list_anew(role, changed)
            for tamper in tampers:
                if tamper.mode != MISSING:
                    present = MODES[tamper.mode](present, tamper.options)
            self._made[name] = (basis, present, role, changed, tampers)
        return self._made[name][1]


def _latest_root(roles, repository):
    numbers = [int(name.split("/")[1].split(".")[0]) for name in roles
               if name.startswith(f"{repository}/") and name.endswith(".root")]
    return f"{repository}/{max(numbers)}.root"


def _changed_members(name, role, spoiled, aliases):
    """{entry of this snapshot or timestamp: spoiled role that it lists}."""
    def member_of(entry):
        plain = entry.removesuffix(".json")
        if name == "director/offline-snapshot":
            return f"director/lockbox:{plain}"
        return {"root": aliases["repo/root"], "targets": "repo/targets",
                "snapshot": "repo/snapshot"}.get(plain, f"repo/delegation:{plain}")
    return {entry: spoiled[member_of(entry)] for entry in role.signed.get("meta", ())
            if member_of(entry) in spoiled}


def _list_anew(role, changed):
    """A snapshot or timestamp with hash and length of its spoiled members brought up to date.

    The listed version stays: a version that differs is a defect of its own.
    """
    if not changed:
        return role
    signed = copy.deepcopy(role.signed)
    for entry, member in changed.items():
        signed["meta"][entry] = {**member.listing, "version": signed["meta"][entry]["version"]}
    return role.with_signed(signed)


# Content that is wrong and properly signed.

def _edit(change):
    """A mode that alters a copy of `signed` and has it properly signed again."""
    def mode(role, options):
        signed = copy.deepcopy(role.signed)
        change(signed, options)
        return role.with_signed(signed)
    return mode


def _expire(signed, options):
    signed["expires"] = rfc3339(now() - timedelta(days=int(options.get("days", 1))))


def _wrong_type(signed, options):
    signed["_type"] = options.get("type", "Mirrors")


def _version_up(signed, options):
    signed["version"] += int(options.get("by", 1))


def _version_down(signed, options):
    signed["version"] -= int(options.get("by", 1))


def _rewrite(signed, _options):
    """The same version with other content: a history that was changed."""
    signed["expires"] = rfc3339(parse_rfc3339(signed["expires"]) + timedelta(days=1))


def _non_ascii(signed, options):
    signed["comment"] = options.get("text", "Größe geprüft ✓ 水泵")


def _bad_expiry(signed, options):
    signed["expires"] = options.get("text", "2099-01-01T00:00:00+00:00")


def _hash_lie(signed, options):
    _entry(signed, "meta", options)["hashes"] = {"sha256": sha256(b"a lie")}


def _length_lie(signed, options):
    _entry(signed, "meta", options)["length"] += int(options.get("by", 1))


def _version_lie(signed, options):
    _entry(signed, "meta", options)["version"] += int(options.get("by", 1))


def _unlist(signed, options):
    del _table(signed, "meta")[_name(signed, "meta", options)]


def _target_hash(signed, options):
    _entry(signed, "targets", options)["hashes"] = {"sha256": sha256(b"another file")}


def _target_length(signed, options):
    _entry(signed, "targets", options)["length"] += int(options.get("by", 1))


def _target_hardware(signed, options):
    _entry(signed, "targets", options)["custom"]["hardwareIds"] = \
        options.get("hwids", "some-other-board").split(",")


def _target_unknown(signed, options):
    """A target that only this role knows: in a lockbox, one the image repository lacks."""
    _table(signed, "targets")[options.get("entry", "stowaway-1.0")] = {
        "hashes": {"sha256": sha256(b"stowaway")},
        "length": len(b"stowaway"),
        "custom": {"hardwareIds": ["verdin-imx8mm"]},
    }


def _target_drop(signed, options):
    del _table(signed, "targets")[_name(signed, "targets", options)]


def _entry(signed, table, options):
    return _table(signed, table)[_name(signed, table, options)]


def _name(signed, table, options):
    """The entry that the options name, else the first."""
    known = _table(signed, table)
    name = options.get("entry") or next(iter(known), None)
    if name not in known:
        raise UnknownTamper(f"no entry '{name}'; known: {', '.join(known) or 'none'}")
    return name


def _table(signed, table):
    if table not in signed:
        raise UnknownTamper(f"a role of type {signed['_type']} has no {table}")
    return signed[table]


# Signatures that are wrong over content that is right.

def _flip_signature(role, _options):
    first, *rest = copy.deepcopy(role.signatures)
    middle = len(first["sig"]) // 2
    other = "A" if first["sig"][middle] != "A" else "B"
    first["sig"] = first["sig"][:middle] + other + first["sig"][middle + 1:]
    return role.with_signatures([first, *rest])


def _unknown_key(role, _options):
    return role.with_signatures([signature(_stranger(role), role.signed)])


def _borrowed_keyid(role, _options):
    """A stranger's signature that claims the keyid of the right key."""
    forged = signature(_stranger(role), role.signed)
    return role.with_signatures([{**forged, "keyid": role.signers[0].keyid}])


def _too_few(role, _options):
    kept = role.signers[:role.threshold - 1]
    return role.with_signatures([signature(key, role.signed) for key in (*kept, *role.also)])


def _duplicate_signature(role, _options):
    one = signature(role.signers[0], role.signed)
    return role.with_signatures(
        [one] * max(2, role.threshold) + [signature(key, role.signed) for key in role.also])


def _not_by_predecessor(role, _options):
    if not role.also:
        raise UnknownTamper("this role has no predecessor with other keys: rotate first")
    return role.with_signatures([signature(key, role.signed) for key in role.signers])


def _odd_method(role, options):
    """One more signature, of a method that devices do not know."""
    odd = {**role.signatures[0], "keyid": sha256(b"odd"),
           "method": options.get("method", "rsassa-pkcs1v15-sha256")}
    return role.with_signatures([*role.signatures, odd])


def _stranger(role):
    key_type = "rsa" if isinstance(role.signers[0], RsaKey) else "ed25519"
    return _strangers.setdefault(key_type, KEY_TYPES[key_type]())


# Bytes that are wrong around content that is right.

def _bytes(change):
    def mode(role, options):
        return replace(role, data=change(role.data, options))
    return mode


def _duplicate_key(data, _options):
    """The second "version" is the signed one: a parser that lets the last one win sees nothing."""
    head, _, tail = data.rpartition(b'"version":')
    return head + b'"version":999,"version":' + tail


def _bom(data, _options):
    return b"\xef\xbb\xbf" + data


def _trailing(data, options):
    return data + options.get("text", "{}").encode()


def _deep(data, options):
    depth = int(options.get("depth", 2000))
    return data[:-1] + b',"nest":' + b"[" * depth + b"]" * depth + b"}"


def _huge(data, options):
    return data + b" " * (int(options.get("size", 16 << 20)) - len(data))


def _truncated(data, options):
    return data[:int(options.get("at", len(data) // 2))]


MODES = {
    "expired": _edit(_expire),
    "wrong-type": _edit(_wrong_type),
    "version-up": _edit(_version_up),
    "version-down": _edit(_version_down),
    "rewrite": _edit(_rewrite),
    "non-ascii": _edit(_non_ascii),
    "bad-expiry": _edit(_bad_expiry),
    "hash-lie": _edit(_hash_lie),
    "length-lie": _edit(_length_lie),
    "version-lie": _edit(_version_lie),
    "unlist": _edit(_unlist),
    "target-hash": _edit(_target_hash),
    "target-length": _edit(_target_length),
    "target-hardware": _edit(_target_hardware),
    "target-unknown": _edit(_target_unknown),
    "target-drop": _edit(_target_drop),
    "flip-signature": _flip_signature,
    "unknown-key": _unknown_key,
    "borrowed-keyid": _borrowed_keyid,
    "too-few": _too_few,
    "duplicate-signature": _duplicate_signature,
    "not-by-predecessor": _not_by_predecessor,
    "odd-method": _odd_method,
    "duplicate-key": _bytes(_duplicate_key),
    "bom": _bytes(_bom),
    "trailing": _bytes(_trailing),
    "deep": _bytes(_deep),
    "huge": _bytes(_huge),
    "truncated": _bytes(_truncated),
}
